/* Walks rows down trees: several trees at a time for one row, several rows at a time for many. */
#include "forest.h"

/* A section's neighbour is no redzone: what must hold of each read is said here, and looked at by the fuzzer. */
#ifdef FOREST_CHECKED
#define CHECK(holds) ((holds) ? (void)0 : __builtin_trap())
#else
#define CHECK(holds) ((void)0)
#endif

#define LANES 8
#define INLINE static inline __attribute__((always_inline))
/* Trees up to here are walked to their full depth, without looking who has arrived. */
#define UNCHECKED_LEVELS 10
#define BLOCK_VALUES 4096
#define BLOCK_ROWS 64

/* What must be looked at in each split. */
enum mode { PLAIN, WITH_NAN, SPECIAL };

/* LightGBM's kZeroThreshold, 1e-35 as a float32. */
static const double ZERO_THRESHOLD = 0x1.a95a5cp-117;

static uint32_t is_member(const struct forest *forest, const struct node *node, double value) {
    const struct bitset set = node->categories;
    const uint32_t match = (node->packed & MATCH) >> MATCH_SHIFT;
    const double least = match == MATCH_TRUNCATED ? -1 : 0;
    if (match == MATCH_TRUNCATED ? value <= least : value < least) return 0;
    if (value >= set.words * 32.0) return 0;
    const int64_t whole = (int64_t)value;
    /* -0.5 is category 0 without its fraction, which an empty set does not have. */
    if ((uint64_t)whole >= set.words * 32ull) return 0;
    if (match == MATCH_EXACT && (double)whole != value) return 0;
    CHECK((uint64_t)whole / 32 < set.words);
    return forest->bitsets[set.first + (uint64_t)whole / 32] >> (whole % 32) & 1;
}

/* Return 1 when a value goes right at a split that is by category, or takes zero as missing. */
static uint32_t special(const struct forest *forest, const struct node *node, double value) {
    const uint32_t missing_right = ~(node->packed >> MISSING_LEFT_BIT) & 1;
    if (value != value) return missing_right;
    if (node->packed & CATEGORY) return !is_member(forest, node, value);
    if (-ZERO_THRESHOLD <= value && value <= ZERO_THRESHOLD) return missing_right;
    return value > node->threshold;
}

/* Return the child that a row goes to; of a leaf, itself. */
INLINE uint32_t next(const struct forest *forest, const struct node *nodes, uint32_t at, const double *row,
                     enum mode mode) {
    const struct node *node = nodes + at;
    CHECK(at < forest->header->nodes);
    const uint32_t packed = node->packed;
    CHECK((packed & FEATURE) < forest->header->features);
    const double value = row[packed & FEATURE];
    uint32_t right = value > node->threshold;
    if (mode != PLAIN) right |= (value != value) & ~(packed >> MISSING_LEFT_BIT);
    if (mode == SPECIAL && packed & (CATEGORY | ZERO_IS_MISSING)) right = special(forest, node, value);
    return node->left + (right & ~(packed >> LEAF_BIT));
}

/* Move each lane from a root to its leaf. Lane i reads the row at rows + i * stride. */
INLINE void walk(const struct forest *forest, uint32_t at[LANES], const double *rows, uint64_t stride, uint32_t depth,
                 enum mode mode) {
    const struct node *nodes = forest->nodes;
    const uint32_t unchecked = depth < UNCHECKED_LEVELS ? depth : UNCHECKED_LEVELS;
    for (uint32_t level = 0; level < unchecked; level++)
        for (int lane = 0; lane < LANES; lane++)
            at[lane] = next(forest, nodes, at[lane], rows + (uint64_t)lane * stride, mode);
    for (uint32_t level = unchecked; level < depth; level++) {
        uint32_t moved = 0;
        for (int lane = 0; lane < LANES; lane++) {
            const uint32_t child = next(forest, nodes, at[lane], rows + (uint64_t)lane * stride, mode);
            moved |= child ^ at[lane];
            at[lane] = child;
        }
        if (!moved) break;
    }
}

INLINE void add(const struct forest *forest, const struct tree *tree, uint32_t leaf, union cell *margins) {
    const struct node *node = forest->nodes + leaf;
    const double *values = tree->width == 1 ? &node->leaf : forest->leaf_values + node->vector;
    CHECK(tree->width == 1 || node->vector + tree->width <= forest->header->leaf_values);
    margins += tree->output;
    if (forest->header->accumulate == ACCUMULATE_FLOAT32)
        for (uint32_t i = 0; i < tree->width; i++) margins[i].narrow += (float)values[i];
    else
        for (uint32_t i = 0; i < tree->width; i++) margins[i].wide += values[i];
}

INLINE void evaluate_row(const struct forest *forest, const double *row, union cell *margins, enum mode mode) {
    const uint32_t trees = forest->header->trees;
    for (uint32_t t = 0; t < trees; t += LANES) {
        const uint32_t lanes = trees - t < LANES ? trees - t : LANES;
        uint32_t at[LANES], depth = 0;
        for (uint32_t lane = 0; lane < LANES; lane++) {
            const struct tree *tree = forest->trees + t + (lane < lanes ? lane : 0);
            at[lane] = tree->first;
            if (tree->depth > depth) depth = tree->depth;
        }
        walk(forest, at, row, 0, depth, mode);
        for (uint32_t lane = 0; lane < lanes; lane++) add(forest, forest->trees + t + lane, at[lane], margins);
    }
}

INLINE void evaluate_rows(const struct forest *forest, const double *rows, uint64_t count, union cell *margins,
                          enum mode mode) {
    const uint64_t features = forest->header->features, outputs = forest->header->outputs;
    const uint64_t together = count - count % LANES;
    if (together)
        for (uint32_t t = 0; t < forest->header->trees; t++) {
            const struct tree *tree = forest->trees + t;
            for (uint64_t row = 0; row < together; row += LANES) {
                uint32_t at[LANES];
                for (int lane = 0; lane < LANES; lane++) at[lane] = tree->first;
                walk(forest, at, rows + row * features, features, tree->depth, mode);
                for (int lane = 0; lane < LANES; lane++)
                    add(forest, tree, at[lane], margins + (row + (uint64_t)lane) * outputs);
            }
        }
    for (uint64_t row = together; row < count; row++)
        evaluate_row(forest, rows + row * features, margins + row * outputs, mode);
}

/* Copy numbers of any kind and alignment. */
static void widen(const struct rows *rows, uint64_t first, uint64_t count, double *out) {
    const uint8_t *bytes = rows->values;
    float narrow;
    int64_t whole;
    int32_t half;
    switch (rows->kind) {
    case FLOAT64:
        memcpy(out, bytes + first * sizeof(double), count * sizeof(double));
        return;
    case FLOAT32:
        for (uint64_t i = 0; i < count; i++) {
            memcpy(&narrow, bytes + (first + i) * sizeof narrow, sizeof narrow);
            out[i] = narrow;
        }
        return;
    case INT64:
        for (uint64_t i = 0; i < count; i++) {
            memcpy(&whole, bytes + (first + i) * sizeof whole, sizeof whole);
            out[i] = (double)whole;
        }
        return;
    case INT32:
        for (uint64_t i = 0; i < count; i++) {
            memcpy(&half, bytes + (first + i) * sizeof half, sizeof half);
            out[i] = half;
        }
    }
}

/* What some value of a block is. */
struct found {
    int nan, not_finite;
};

static struct found cast(const struct header *header, double *values, uint64_t count) {
    int nan = 0, not_finite = 0;
    if (header->cast == CAST_FLOAT32)
        for (uint64_t i = 0; i < count; i++) values[i] = (float)values[i];
    if (header->has_missing)
        for (uint64_t i = 0; i < count; i++)
            if (values[i] == header->missing) values[i] = __builtin_nan("");
    for (uint64_t i = 0; i < count; i++) {
        nan |= values[i] != values[i];
        not_finite |= values[i] - values[i] != 0;
    }
    return (struct found){nan, not_finite};
}

/* Say which value is not accepted, if one is not; `first` is the number of values before these. */
static int check_values(const struct header *header, const double *values, uint64_t count, uint64_t first,
                        struct problem *problem) {
    for (uint64_t i = 0; i < count; i++) {
        const unsigned long long row = (first + i) / header->features, feature = (first + i) % header->features;
        if (values[i] != values[i]) {
            if (header->accepts != ACCEPTS_FINITE) continue;
            *problem = (struct problem){"row %llu, feature %llu is NaN, but the model takes finite numbers only", {row, feature}};
            return -1;
        }
        if (values[i] - values[i] != 0) {
            *problem = (struct problem){"row %llu, feature %llu is infinite or too large for the model", {row, feature}};
            return -1;
        }
    }
    return 0;
}

/* How many rows are cast and walked at a time: what stays in the first cache. */
static uint64_t block_rows(const struct forest *forest) {
    const uint64_t rows = BLOCK_VALUES / forest->header->features / LANES * LANES;
    return rows < LANES ? LANES : rows > BLOCK_ROWS ? BLOCK_ROWS : rows;
}

uint64_t forest_scratch(const struct forest *forest, uint64_t rows) {
    const uint64_t block = block_rows(forest);
    return (rows < block ? rows : block) * forest->header->features;
}

static void begin(const struct forest *forest, union cell *margins, uint64_t rows) {
    const uint32_t outputs = forest->header->outputs;
    const int narrow = forest->header->accumulate == ACCUMULATE_FLOAT32;
    for (uint64_t row = 0; row < rows; row++, margins += outputs)
        for (uint32_t i = 0; i < outputs; i++)
            if (narrow)
                margins[i].narrow = (float)forest->base[i];
            else
                margins[i].wide = forest->base[i];
}

static void finish(const struct forest *forest, union cell *margins, uint64_t count) {
    const double divide = forest->header->divide;
    if (forest->header->accumulate == ACCUMULATE_FLOAT32)
        for (uint64_t i = 0; i < count; i++) margins[i].wide = (float)(margins[i].narrow / divide);
    else if (divide != 1)
        for (uint64_t i = 0; i < count; i++) margins[i].wide /= divide;
}

int forest_evaluate(const struct forest *forest, const struct rows *rows, double *scratch, union cell *margins,
                    struct problem *problem) {
    const struct header *header = forest->header;
    const uint64_t features = header->features, block = block_rows(forest);
    for (uint64_t row = 0; row < rows->count; row += block) {
        const uint64_t count = rows->count - row < block ? rows->count - row : block;
        widen(rows, row * features, count * features, scratch);
        const struct found found = cast(header, scratch, count * features);
        if (header->accepts != ACCEPTS_ALL && found.not_finite &&
            check_values(header, scratch, count * features, row * features, problem))
            return -1;
        union cell *out = margins + row * header->outputs;
        begin(forest, out, count);
        if (forest->special)
            evaluate_rows(forest, scratch, count, out, SPECIAL);
        else if (found.nan)
            evaluate_rows(forest, scratch, count, out, WITH_NAN);
        else
            evaluate_rows(forest, scratch, count, out, PLAIN);
        finish(forest, out, count * header->outputs);
    }
    return 0;
}
