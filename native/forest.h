/* A forest file in memory, checked once and then evaluated. README.md specifies the format. */
#ifndef FOREST_H
#define FOREST_H

#include <stddef.h>
#include <stdint.h>

/* All that is used of C's library; every process has them, and building needs no headers of one. */
void *memcpy(void *, const void *, size_t);
int memcmp(const void *, const void *, size_t);
void *memset(void *, int, size_t);
size_t strlen(const char *);

enum { CAST_FLOAT32, CAST_FLOAT64 };
enum { ACCUMULATE_FLOAT32, ACCUMULATE_FLOAT64 };
enum { ACCEPTS_ALL, ACCEPTS_NOT_INFINITE, ACCEPTS_FINITE };
enum { IDENTITY, SIGMOID, BINARY_SIGMOID, SOFTMAX, EXP, ISOLATION };
enum { MATCH_TRUNCATED, MATCH_NONNEGATIVE, MATCH_EXACT };

/* What node.packed holds: a feature, and these. */
#define FEATURE 0xFFFFFFu
#define LEAF_BIT 24
#define MISSING_LEFT_BIT 25
#define LEAF (1u << LEAF_BIT)
#define MISSING_LEFT (1u << MISSING_LEFT_BIT)
#define ZERO_IS_MISSING (1u << 26)
#define CATEGORY (1u << 27)
#define MATCH_SHIFT 28
#define MATCH (3u << MATCH_SHIFT)

struct header {
    char magic[8];
    uint32_t version;
    uint32_t header_bytes;
    uint64_t total_bytes;
    uint32_t features;
    uint32_t outputs;
    uint32_t trees;
    uint32_t nodes;
    uint32_t leaf_values;
    uint32_t bitset_words;
    uint32_t metadata_bytes;
    uint8_t cast;
    uint8_t accumulate;
    uint8_t accepts;
    uint8_t transform;
    uint8_t has_missing;
    uint8_t reserved[7];
    double missing;
    double divide;
    double scale;
    double offset;
    uint8_t reserved_too[32];
};

struct tree {
    uint32_t first; /* its root, among all nodes */
    uint32_t nodes;
    uint16_t output;
    uint16_t width;
    uint32_t depth; /* how many splits its longest path has */
};

struct bitset {
    uint32_t first; /* among all words */
    uint32_t words;
};

struct node {
    union {
        double threshold;
        double leaf;     /* of a tree of width 1 */
        uint64_t vector; /* of a wider tree: where its values begin, among all leaf values */
        struct bitset categories;
    };
    uint32_t packed;
    uint32_t left; /* among all nodes; right follows it; a leaf's is itself */
};

struct forest {
    const struct header *header;
    const double *base;
    const struct tree *trees;
    const struct node *nodes;
    const double *leaf_values;
    const uint32_t *bitsets;
    const uint8_t *metadata;
    int special; /* some split is by category, or takes zero as missing */
};

/* What is wrong, as printf would say it; every value is an unsigned long long. */
struct problem {
    const char *format;
    unsigned long long values[4];
};

/* Of numbers in memory. */
enum kind { FLOAT64, FLOAT32, INT64, INT32 };

struct rows {
    const void *values; /* row-major, forest->header->features of them a row; aligned or not */
    enum kind kind;
    uint64_t count;
};

/* A margin while it is added up. */
union cell {
    double wide;
    float narrow;
};

/* Check a file and point into it. `bytes` must be aligned to 8, and must not change as long as the forest is used.
   Returns 0, or -1 and the problem. */
int forest_read(struct forest *forest, const uint8_t *bytes, uint64_t size, struct problem *problem);

/* How many float64 `forest_evaluate` needs as scratch for so many rows. */
uint64_t forest_scratch(const struct forest *forest, uint64_t rows);

/* Fill `margins` with count x outputs float64. Returns 0, or -1 and the problem when a value is not accepted. */
int forest_evaluate(const struct forest *forest, const struct rows *rows, double *scratch, union cell *margins,
                    struct problem *problem);

/* How many values a row has after the transform. */
uint32_t forest_columns(const struct forest *forest);

/* Fill `values` with count x columns float64, from margins. */
void forest_transform(const struct forest *forest, const double *margins, uint64_t count, double *values);

#endif
