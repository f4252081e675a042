/* Reads any bytes as a forest file followed by rows, evaluates what is accepted, and checks what must hold of it. */
#include "../forest.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_CELLS 4096
#define MAX_STEPS 4000000

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

static void require(int holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

static uint64_t file_size(const uint8_t *data, size_t size) {
    uint64_t total = size;
    if (size >= 24) memcpy(&total, data + 16, sizeof total);
    return total < size ? total : size;
}

static void evaluate(const struct forest *forest, const struct rows *rows) {
    const struct header *header = forest->header;
    const uint64_t cells = rows->count * header->outputs, columns = forest_columns(forest);
    double *scratch = malloc(forest_scratch(forest, rows->count) * sizeof(double));
    union cell *margins = malloc(cells * sizeof(union cell)), *alone = malloc(header->outputs * sizeof(union cell));
    double *values = malloc(rows->count * columns * sizeof(double));
    struct problem problem;
    if (forest_evaluate(forest, rows, scratch, margins, &problem) == 0) {
        forest_transform(forest, (const double *)margins, rows->count, values);
        for (uint64_t i = 0; i < cells; i++) require(margins[i].wide == margins[i].wide, "a margin is NaN");
        const size_t row_bytes = header->features * (rows->kind == FLOAT64 || rows->kind == INT64 ? 8 : 4);
        for (uint64_t row = 0; row < rows->count; row++) {
            const struct rows one = {(const uint8_t *)rows->values + row * row_bytes, rows->kind, 1};
            require(forest_evaluate(forest, &one, scratch, alone, &problem) == 0, "a row is refused alone only");
            require(memcmp(alone, margins + row * header->outputs, header->outputs * sizeof *alone) == 0,
                    "a row alone has other margins than among others");
        }
    }
    free(scratch);
    free(margins);
    free(alone);
    free(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    /* Copies of their exact sizes, so that AddressSanitizer sees each byte read beyond them. */
    const uint64_t total = file_size(data, size), rest = size - total;
    uint8_t *file = malloc(total ? total : 1), *numbers = malloc(rest ? rest : 1);
    memcpy(file, data, total);
    memcpy(numbers, data + total, rest);
    struct forest forest;
    struct problem problem;
    if (forest_read(&forest, file, total, &problem)) {
        char text[512];
        const unsigned long long *values = problem.values;
        require(snprintf(text, sizeof text, problem.format, values[0], values[1], values[2], values[3]) > 0, "no words");
    } else if (rest) {
        const enum kind kind = (enum kind)(numbers[0] % 4);
        const uint64_t row_bytes = (uint64_t)forest.header->features * (kind == FLOAT64 || kind == INT64 ? 8 : 4);
        const struct rows rows = {numbers + 1, kind, (rest - 1) / row_bytes};
        const uint64_t steps = (rows.count + 1) * forest.header->nodes;
        if (rows.count * (forest.header->outputs + 1) <= MAX_CELLS && steps <= MAX_STEPS) evaluate(&forest, &rows);
    }
    free(file);
    free(numbers);
    return 0;
}

/* Mutate, and mostly mend what would be refused at once: magic, version, sizes, where trees begin, their nodes' places. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
    size = LLVMFuzzerMutate(data, size, max_size);
    struct header header;
    if (seed % 8 == 0 || size < sizeof header) return size;
    memcpy(&header, data, sizeof header);
    memcpy(header.magic, "LMFOREST", 8);
    header.version = 1;
    header.header_bytes = sizeof header;
    header.features = 1 + (header.features - 1) % 64;
    header.outputs = 1 + (header.outputs - 1) % 8;
    header.cast %= 2;
    header.accumulate %= 2;
    header.accepts %= 3;
    header.transform %= 6;
    header.has_missing %= 2;
    memset(header.reserved, 0, sizeof header.reserved);
    memset(header.reserved_too, 0, sizeof header.reserved_too);
    const uint64_t counts[] = {header.outputs * 8ull, header.trees * 16ull, header.nodes * 16ull, header.leaf_values * 8ull,
                               header.bitset_words * 4ull};
    uint64_t places[6] = {sizeof header};
    for (int i = 0; i < 5; i++) places[i + 1] = (places[i] + counts[i] + 63) / 64 * 64;
    header.total_bytes = places[5] + header.metadata_bytes;
    memcpy(data, &header, sizeof header);
    if (seed % 8 < 3 || header.total_bytes > size) return size;
    struct tree *trees = (struct tree *)(data + places[1]);
    struct node *nodes = (struct node *)(data + places[2]);
    uint32_t first = 0;
    for (uint32_t t = 0; t < header.trees; t++) {
        trees[t].first = first;
        if (trees[t].nodes > header.nodes - first) break;
        uint32_t children = first + 1;
        for (uint32_t at = first; at < first + trees[t].nodes; at++) {
            const int leaf = (nodes[at].packed & LEAF) != 0;
            if (leaf) nodes[at].packed = LEAF;
            nodes[at].left = leaf ? at : children;
            children += leaf ? 0 : 2;
        }
        first += trees[t].nodes;
    }
    return size;
}
