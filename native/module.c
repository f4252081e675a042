/* The Python module `_forest`: load(buffer) -> Forest, Forest.evaluate(rows) -> (margins, values). */
#include "forest.h"
#include "stable_abi.h"

/* Other Python threads go on meanwhile when there are more (row, tree) pairs than this: about 0.1 ms. */
#define LONG_WORK 16384
#define MAX_VALUES ((uint64_t)PTRDIFF_MAX / sizeof(double))

struct object {
    PyObject base;
    struct forest forest;
    Py_buffer file;
    void *copy; /* of a file that could change, or is not aligned */
};

struct state {
    PyObject *type;
};

static PyObject *raise(PyObject *type, const char *about, const struct problem *problem) {
    char format[256];
    const size_t length = strlen(about);
    memcpy(format, about, length);
    memcpy(format + length, problem->format, strlen(problem->format) + 1);
    const unsigned long long *values = problem->values;
    return PyErr_Format(type, format, values[0], values[1], values[2], values[3]);
}

static PyObject *load(PyObject *module, PyObject *file) {
    const struct state *state = PyModule_GetState(module);
    struct object *self = (struct object *)PyType_GenericAlloc((PyTypeObject *)state->type, 0);
    if (!self) return NULL;
    if (PyObject_GetBuffer(file, &self->file, PyBUF_SIMPLE)) goto failed;
    const uint8_t *bytes = self->file.buf;
    const size_t size = (size_t)self->file.len;
    if (!self->file.readonly || (uintptr_t)bytes % sizeof(double)) {
        self->copy = PyMem_Malloc(size);
        if (!self->copy) {
            PyErr_NoMemory();
            goto failed;
        }
        memcpy(self->copy, bytes, size);
        bytes = self->copy;
        PyBuffer_Release(&self->file);
    }
    struct problem problem;
    if (forest_read(&self->forest, bytes, size, &problem)) {
        raise(PyExc_ValueError, "the forest file cannot be read: ", &problem);
        goto failed;
    }
    return (PyObject *)self;
failed:
    Py_DecRef((PyObject *)self);
    return NULL;
}

static void dealloc(PyObject *object) {
    struct object *self = (struct object *)object;
    PyTypeObject *type = object->ob_type;
    PyBuffer_Release(&self->file);
    PyMem_Free(self->copy);
    PyObject_Free(self);
    Py_DecRef((PyObject *)type);
}

/* Numbers on their way from Python: a buffer's own memory, or a copy of a list. */
struct input {
    struct rows rows;
    Py_buffer buffer;
    double *copy;
};

static int wrong_width(uint64_t row, Py_ssize_t width, uint32_t features) {
    PyErr_Format(PyExc_ValueError, "row %llu has %zd values, but the model takes %u", (unsigned long long)row, width, features);
    return -1;
}

static int not_whole_rows(uint64_t values, uint32_t features) {
    PyErr_Format(PyExc_ValueError, "rows holds %llu values, which is no multiple of the %u that the model takes",
                 (unsigned long long)values, features);
    return -1;
}

/* Replace the error that something is no number with one that says where it is. */
static void name_number(unsigned long long row, unsigned long long feature, PyObject *item) {
    if (PyErr_ExceptionMatches(PyExc_TypeError))
        PyErr_Format(PyExc_TypeError, "row %llu, feature %llu is a %R, but must be a number", row, feature, item->ob_type);
    else if (PyErr_ExceptionMatches(PyExc_OverflowError))
        PyErr_Format(PyExc_ValueError, "row %llu, feature %llu is infinite or too large for the model", row, feature);
}

/* Read a list's numbers; `first` is the number of values before them. */
static int read_numbers(PyObject *list, uint64_t count, double *out, uint64_t first, uint32_t features) {
    for (uint64_t i = 0; i < count; i++) {
        PyObject *item = PyList_GetItem(list, (Py_ssize_t)i);
        if (!item) return -1;
        Py_IncRef(item);
        const double value = PyFloat_AsDouble(item);
        const int failed = value == -1 && PyErr_Occurred();
        if (failed) name_number((first + i) / features, (first + i) % features, item);
        Py_DecRef(item);
        if (failed) return -1;
        out[i] = value;
    }
    return 0;
}

static int read_list(PyObject *list, uint32_t features, struct input *input) {
    const uint64_t length = (uint64_t)PyList_Size(list);
    PyObject *head = length ? PyList_GetItem(list, 0) : NULL;
    const int nested = head && PyType_IsSubtype(head->ob_type, &PyList_Type);
    if (!nested && length % features) return not_whole_rows(length, features);
    const uint64_t rows = nested ? length : length / features;
    if (rows > MAX_VALUES / features || !(input->copy = PyMem_Malloc(rows * features * sizeof(double)))) {
        PyErr_NoMemory();
        return -1;
    }
    input->rows = (struct rows){input->copy, FLOAT64, rows};
    if (!nested) return read_numbers(list, length, input->copy, 0, features);
    for (uint64_t row = 0; row < rows; row++) {
        PyObject *item = PyList_GetItem(list, (Py_ssize_t)row);
        if (!item) return -1;
        if (!PyType_IsSubtype(item->ob_type, &PyList_Type)) {
            PyErr_Format(PyExc_TypeError, "row %llu is a %R, but must be a list as the rows before it", (unsigned long long)row,
                         item->ob_type);
            return -1;
        }
        if (PyList_Size(item) != (Py_ssize_t)features) return wrong_width(row, PyList_Size(item), features);
        Py_IncRef(item);
        const int failed = read_numbers(item, features, input->copy + row * features, row * features, features);
        Py_DecRef(item);
        if (failed) return -1;
    }
    return 0;
}

/* Return the kind of a buffer's numbers, or -1. */
static int kind_of(const Py_buffer *buffer) {
    const char *format = buffer->format ? buffer->format : "B";
    if (*format == '@' || *format == '=' || *format == '<') format++;
    if (!*format || format[1]) return -1;
    switch (*format) {
    case 'd':
        return FLOAT64;
    case 'f':
        return FLOAT32;
    case 'i':
    case 'l':
    case 'q':
        return buffer->itemsize == 8 ? INT64 : INT32;
    default:
        return -1;
    }
}

static int read_buffer(PyObject *object, uint32_t features, struct input *input) {
    Py_buffer *buffer = &input->buffer;
    if (PyObject_GetBuffer(object, buffer, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT)) {
        if (PyErr_ExceptionMatches(PyExc_TypeError))
            PyErr_Format(PyExc_TypeError, "rows must be a list or a buffer, but is a %R", object->ob_type);
        return -1;
    }
    const int kind = kind_of(buffer);
    if (kind < 0) {
        PyErr_Format(PyExc_TypeError, "rows holds items of the format %s, but must hold float64, float32, int64 or int32",
                     buffer->format ? buffer->format : "B");
        return -1;
    }
    if (buffer->ndim != 1 && buffer->ndim != 2) {
        PyErr_Format(PyExc_ValueError, "rows has %d dimensions, but must have 1 or 2", buffer->ndim);
        return -1;
    }
    const uint64_t values = (uint64_t)buffer->len / (uint64_t)buffer->itemsize;
    if (buffer->ndim == 2 && buffer->shape[1] != (Py_ssize_t)features) return wrong_width(0, buffer->shape[1], features);
    if (values % features) return not_whole_rows(values, features);
    input->rows = (struct rows){buffer->buf, (enum kind)kind, values / features};
    return 0;
}

static PyObject *to_list(const double *values, uint64_t count) {
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (uint64_t i = 0; list && i < count; i++) {
        PyObject *item = PyFloat_FromDouble(values[i]);
        if (!item || PyList_SetItem(list, (Py_ssize_t)i, item)) {
            Py_DecRef(list);
            return NULL;
        }
    }
    return list;
}

static PyObject *pair(PyObject *margins, PyObject *values) {
    PyObject *both = margins && values ? PyTuple_New(2) : NULL;
    if (!both) {
        Py_DecRef(margins);
        Py_DecRef(values);
        return NULL;
    }
    PyTuple_SetItem(both, 0, margins);
    PyTuple_SetItem(both, 1, values);
    return both;
}

static PyObject *evaluate_rows(const struct forest *forest, const struct rows *rows) {
    const struct header *header = forest->header;
    const uint64_t columns = forest_columns(forest), outputs = header->outputs, count = rows->count;
    const uint64_t scratch_size = forest_scratch(forest, count);
    const int same = header->transform == IDENTITY && header->scale == 1;
    if (count > MAX_VALUES / 4 / (outputs + columns)) return PyErr_NoMemory();
    const uint64_t total = scratch_size + count * outputs + (same ? 0 : count * columns);
    double *scratch = PyMem_Malloc(total * sizeof(double));
    if (!scratch) return PyErr_NoMemory();
    double *margins = scratch + scratch_size, *values = same ? margins : margins + count * outputs;
    struct problem problem;
    PyThreadState *thread = count * (uint64_t)(header->trees + 1) > LONG_WORK ? PyEval_SaveThread() : NULL;
    const int refused = forest_evaluate(forest, rows, scratch, (union cell *)margins, &problem);
    if (!refused && !same) forest_transform(forest, margins, count, values);
    if (thread) PyEval_RestoreThread(thread);
    PyObject *answer = NULL;
    if (refused) {
        raise(PyExc_ValueError, "", &problem);
    } else {
        PyObject *list = to_list(margins, count * outputs);
        if (list && same) Py_IncRef(list);
        answer = pair(list, list && !same ? to_list(values, count * columns) : list);
    }
    PyMem_Free(scratch);
    return answer;
}

static PyObject *evaluate(PyObject *object, PyObject *values) {
    const struct forest *forest = &((struct object *)object)->forest;
    const uint32_t features = forest->header->features;
    struct input input = {0};
    const int is_list = PyType_IsSubtype(values->ob_type, &PyList_Type);
    const int failed = is_list ? read_list(values, features, &input) : read_buffer(values, features, &input);
    PyObject *answer = failed ? NULL : evaluate_rows(forest, &input.rows);
    PyMem_Free(input.copy);
    PyBuffer_Release(&input.buffer);
    return answer;
}

static PyObject *get_features(PyObject *self, void *closure) {
    (void)closure;
    return PyLong_FromUnsignedLongLong(((struct object *)self)->forest.header->features);
}

static PyObject *get_outputs(PyObject *self, void *closure) {
    (void)closure;
    return PyLong_FromUnsignedLongLong(((struct object *)self)->forest.header->outputs);
}

static PyObject *get_columns(PyObject *self, void *closure) {
    (void)closure;
    return PyLong_FromUnsignedLongLong(forest_columns(&((struct object *)self)->forest));
}

static PyObject *get_metadata(PyObject *self, void *closure) {
    (void)closure;
    const struct forest *forest = &((struct object *)self)->forest;
    return PyBytes_FromStringAndSize((const char *)forest->metadata, (Py_ssize_t)forest->header->metadata_bytes);
}

static PyMethodDef forest_methods[] = {
    {"evaluate", evaluate, METH_O,
     "Return (margins, values), flat lists of rows x outputs and rows x columns. Rows are a list of numbers, a list of\n"
     "lists, or a C-contiguous buffer of float64, float32, int64 or int32, of one dimension or two. Raises ValueError or\n"
     "TypeError naming the row and what is wrong."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef forest_attributes[] = {
    {"features", get_features, NULL, "How many values a row has.", NULL},
    {"outputs", get_outputs, NULL, "How many margins a row gets.", NULL},
    {"columns", get_columns, NULL, "How many values a row gets.", NULL},
    {"metadata", get_metadata, NULL, "The file's metadata, as it was written.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot forest_slots[] = {
    {Py_tp_doc, "A forest file, checked; it may be used by several threads at once."},
    {Py_tp_dealloc, dealloc},
    {Py_tp_methods, forest_methods},
    {Py_tp_getset, forest_attributes},
    {0, NULL},
};

static PyType_Spec forest_type = {
    "_forest.Forest", sizeof(struct object), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION, forest_slots,
};

static int execute(PyObject *module) {
    struct state *state = PyModule_GetState(module);
    state->type = PyType_FromModuleAndSpec(module, &forest_type, NULL);
    return state->type ? 0 : -1;
}

static void free_module(void *module) {
    struct state *state = PyModule_GetState(module);
    if (state) Py_DecRef(state->type);
}

static PyMethodDef methods[] = {
    {"load", load, METH_O,
     "Check a forest file and return it as a Forest, which keeps the buffer. Raises ValueError saying what is wrong where."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{Py_mod_exec, execute}, {0, NULL}};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_forest", "Evaluates trained trees.", sizeof(struct state), methods, slots, NULL, NULL, free_module,
};

__attribute__((visibility("default"))) PyObject *PyInit__forest(void);
PyObject *PyInit__forest(void) { return PyModuleDef_Init(&definition); }
