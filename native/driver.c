/* For tests where no Python is: prints the bits of what a forest file makes of rows of float64 in a second file. */
#include "forest.h"

#include <stdio.h>
#include <stdlib.h>

static uint8_t *read_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file) exit(2);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(*size + 1);
    if (!bytes || fread(bytes, 1, *size, file) != *size) exit(2);
    fclose(file);
    return bytes;
}

static void print(const char *name, const double *numbers, uint64_t count) {
    printf("%s", name);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t bits;
        memcpy(&bits, numbers + i, sizeof bits);
        printf(" %016llx", (unsigned long long)bits);
    }
    printf("\n");
}

static int complain(const struct problem *problem) {
    const unsigned long long *values = problem->values;
    printf("refused ");
    printf(problem->format, values[0], values[1], values[2], values[3]);
    printf("\n");
    return 0;
}

static int run(const char *file_path, const char *rows_path) {
    size_t size, rows_size;
    const uint8_t *file = read_file(file_path, &size), *numbers = read_file(rows_path, &rows_size);
    struct forest forest;
    struct problem problem;
    if (forest_read(&forest, file, size, &problem)) return complain(&problem);
    const struct rows rows = {numbers, FLOAT64, rows_size / sizeof(double) / forest.header->features};
    const uint64_t outputs = rows.count * forest.header->outputs, columns = rows.count * forest_columns(&forest);
    double *scratch = malloc(forest_scratch(&forest, rows.count) * sizeof(double));
    union cell *margins = malloc(outputs * sizeof(union cell));
    double *values = malloc(columns * sizeof(double));
    if (forest_evaluate(&forest, &rows, scratch, margins, &problem)) return complain(&problem);
    forest_transform(&forest, (const double *)margins, rows.count, values);
    print("margins", (const double *)margins, outputs);
    print("values", values, columns);
    return 0;
}

int main(int count, char **paths) {
    for (int i = 1; i + 1 < count; i += 2)
        if (run(paths[i], paths[i + 1])) return 1;
    return 0;
}
