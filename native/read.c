/* Checks a forest file completely, so that evaluating it can never read outside of it. */
#include "forest.h"

#define ALIGNMENT 64
#define HEADER_BYTES 128
#define MAX_OUTPUTS 65535u

static int refuse(struct problem *problem, const char *format, unsigned long long a, unsigned long long b,
                  unsigned long long c, unsigned long long d) {
    *problem = (struct problem){format, {a, b, c, d}};
    return -1;
}

static int is_finite(double value) { return value - value == 0; }

/* Tell whether a number can be added up in the precision that the file asks for. */
static int is_addend(const struct header *header, double value) {
    return is_finite(value) && (header->accumulate == ACCUMULATE_FLOAT64 || (double)(float)value == value);
}

static uint64_t aligned(uint64_t bytes) { return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

static int check_codes(const struct header *header, struct problem *problem) {
    const struct {
        const char *format;
        uint8_t value, greatest;
    } codes[] = {
        {"cast is %llu, but must be from 0 to %llu", header->cast, CAST_FLOAT64},
        {"accumulate is %llu, but must be from 0 to %llu", header->accumulate, ACCUMULATE_FLOAT64},
        {"accepts is %llu, but must be from 0 to %llu", header->accepts, ACCEPTS_FINITE},
        {"transform is %llu, but must be from 0 to %llu", header->transform, ISOLATION},
        {"has_missing is %llu, but must be from 0 to %llu", header->has_missing, 1},
    };
    for (unsigned i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].value > codes[i].greatest)
            return refuse(problem, codes[i].format, codes[i].value, codes[i].greatest, 0, 0);
    return 0;
}

static int check_header(const struct header *header, uint64_t size, struct problem *problem) {
    const uint8_t *bytes = (const uint8_t *)header;
    if (memcmp(header->magic, "LMFOREST", 8) != 0) return refuse(problem, "it does not begin with LMFOREST", 0, 0, 0, 0);
    if (header->version != 1)
        return refuse(problem, "version is %llu, but this runtime reads version 1", header->version, 0, 0, 0);
    if (header->header_bytes != HEADER_BYTES)
        return refuse(problem, "header_bytes is %llu, but must be 128", header->header_bytes, 0, 0, 0);
    for (unsigned i = 57; i < HEADER_BYTES; i++)
        if ((i < 64 || i >= 96) && bytes[i])
            return refuse(problem, "byte %llu is reserved and must be 0, but is %llu", i, bytes[i], 0, 0);
    if (header->total_bytes != size)
        return refuse(problem, "total_bytes is %llu, but the file has %llu", header->total_bytes, size, 0, 0);
    if (header->features < 1 || header->features > FEATURE)
        return refuse(problem, "features is %llu, but must be from 1 to %llu", header->features, FEATURE, 0, 0);
    if (header->outputs < 1 || header->outputs > MAX_OUTPUTS)
        return refuse(problem, "outputs is %llu, but must be from 1 to %llu", header->outputs, MAX_OUTPUTS, 0, 0);
    if (check_codes(header, problem)) return -1;
    if ((header->transform == BINARY_SIGMOID || header->transform == ISOLATION) && header->outputs != 1)
        return refuse(problem, "outputs is %llu, but must be 1 with transform %llu", header->outputs,
                      header->transform, 0, 0);
    if (header->missing != header->missing) return refuse(problem, "missing must be a number, but is NaN", 0, 0, 0, 0);
    if (!is_finite(header->divide) || header->divide == 0)
        return refuse(problem, "divide must be finite and not 0", 0, 0, 0, 0);
    if (!is_finite(header->scale) || header->scale == 0)
        return refuse(problem, "scale must be finite and not 0", 0, 0, 0, 0);
    if (!is_finite(header->offset)) return refuse(problem, "offset must be finite", 0, 0, 0, 0);
    return 0;
}

/* Point at the sections, which follow each other in one order; their lengths follow from the counts. */
static int find_sections(struct forest *forest, const uint8_t *bytes, uint64_t size, struct problem *problem) {
    const struct header *header = forest->header;
    const uint64_t base = HEADER_BYTES;
    /* No sum overflows: each count has 32 bits, each element at most 16 bytes. */
    const uint64_t trees = aligned(base + (uint64_t)header->outputs * sizeof(double));
    const uint64_t nodes = aligned(trees + (uint64_t)header->trees * sizeof(struct tree));
    const uint64_t leaf_values = aligned(nodes + (uint64_t)header->nodes * sizeof(struct node));
    const uint64_t bitsets = aligned(leaf_values + (uint64_t)header->leaf_values * sizeof(double));
    const uint64_t metadata = aligned(bitsets + (uint64_t)header->bitset_words * sizeof(uint32_t));
    const uint64_t total = metadata + header->metadata_bytes;
    if (total != size)
        return refuse(problem, "its counts make %llu bytes, but total_bytes is %llu", total, size, 0, 0);
    forest->base = (const double *)(bytes + base);
    forest->trees = (const struct tree *)(bytes + trees);
    forest->nodes = (const struct node *)(bytes + nodes);
    forest->leaf_values = (const double *)(bytes + leaf_values);
    forest->bitsets = (const uint32_t *)(bytes + bitsets);
    forest->metadata = bytes + metadata;
    return 0;
}

static int check_addends(const struct header *header, const double *values, uint64_t count, const char *format,
                         struct problem *problem) {
    for (uint64_t i = 0; i < count; i++)
        if (!is_addend(header, values[i])) return refuse(problem, format, i, 0, 0, 0);
    return 0;
}

static int check_leaf(const struct forest *forest, const struct tree *tree, uint32_t t, uint32_t at,
                      struct problem *problem) {
    const struct header *header = forest->header;
    const struct node *node = forest->nodes + at;
    if (node->packed != LEAF)
        return refuse(problem, "tree %llu, node %llu: a leaf has the flags %llu", t, at, node->packed, 0);
    if (node->left != at)
        return refuse(problem, "tree %llu, node %llu: a leaf goes on to node %llu", t, at, node->left, 0);
    if (tree->width == 1) {
        if (!is_addend(header, node->leaf))
            return refuse(problem, "tree %llu, node %llu: its value is not finite, or not a number of the type accumulate",
                          t, at, 0, 0);
    } else if (tree->width > header->leaf_values || node->vector > header->leaf_values - tree->width) {
        return refuse(problem, "tree %llu, node %llu: its values begin at %llu, but there are %llu", t, at, node->vector,
                      header->leaf_values);
    }
    return 0;
}

static int check_split(struct forest *forest, uint32_t t, uint32_t at, struct problem *problem) {
    const struct header *header = forest->header;
    const struct node *node = forest->nodes + at;
    const uint32_t feature = node->packed & FEATURE;
    if (feature >= header->features)
        return refuse(problem, "tree %llu, node %llu: its feature is %llu, but there are %llu", t, at, feature,
                      header->features);
    if (node->packed & CATEGORY) {
        const struct bitset set = node->categories;
        if (node->packed & ~(FEATURE | MISSING_LEFT | CATEGORY | MATCH) ||
            (node->packed & MATCH) >> MATCH_SHIFT > MATCH_EXACT)
            return refuse(problem, "tree %llu, node %llu: its flags are %llu", t, at, node->packed, 0);
        if ((uint64_t)set.first + set.words > header->bitset_words)
            return refuse(problem, "tree %llu, node %llu: its categories end at word %llu, but there are %llu", t, at,
                          (uint64_t)set.first + set.words, header->bitset_words);
    } else {
        if (node->packed & ~(FEATURE | MISSING_LEFT | ZERO_IS_MISSING))
            return refuse(problem, "tree %llu, node %llu: its flags are %llu", t, at, node->packed, 0);
        if (node->threshold != node->threshold)
            return refuse(problem, "tree %llu, node %llu: its threshold is NaN", t, at, 0, 0);
    }
    forest->special |= (node->packed & (CATEGORY | ZERO_IS_MISSING)) != 0;
    return 0;
}

/* A tree lies breadth first, so where the children of each node are follows from the splits before it: that every node
   has one parent, before it, and that there is no way out of the tree, is checked by counting. */
static int check_tree(struct forest *forest, uint32_t t, uint32_t first, struct problem *problem) {
    const struct header *header = forest->header;
    const struct tree *tree = forest->trees + t;
    if (tree->first != first)
        return refuse(problem, "tree %llu begins at node %llu, but must at %llu", t, tree->first, first, 0);
    if (tree->nodes < 1 || tree->nodes > header->nodes - first)
        return refuse(problem, "tree %llu has %llu nodes, but %llu are left", t, tree->nodes, header->nodes - first, 0);
    if (tree->width < 1 || (uint32_t)tree->output + tree->width > header->outputs)
        return refuse(problem, "tree %llu adds to outputs %llu to %llu, but there are %llu", t, tree->output,
                      (uint32_t)tree->output + tree->width, header->outputs);
    const uint32_t end = first + tree->nodes;
    uint32_t children = first + 1, level_end = first + 1, depth = 0;
    for (uint32_t at = first; at < end; at++) {
        if (at == level_end) {
            depth++;
            level_end = children;
        }
        if (forest->nodes[at].packed & LEAF) {
            if (check_leaf(forest, tree, t, at, problem)) return -1;
            continue;
        }
        if (forest->nodes[at].left != children || end - children < 2)
            return refuse(problem, "tree %llu, node %llu: its children are at %llu, but must be at %llu, in the tree", t, at,
                          forest->nodes[at].left, children);
        if (check_split(forest, t, at, problem)) return -1;
        children += 2;
    }
    if (children != end)
        return refuse(problem, "tree %llu has %llu nodes, but %llu of them are of it", t, tree->nodes, children - first, 0);
    if (tree->depth != depth)
        return refuse(problem, "tree %llu says that its depth is %llu, but it is %llu", t, tree->depth, depth, 0);
    return 0;
}

int forest_read(struct forest *forest, const uint8_t *bytes, uint64_t size, struct problem *problem) {
    if (size < HEADER_BYTES) return refuse(problem, "it has %llu bytes, but its header takes 128", size, 0, 0, 0);
    *forest = (struct forest){.header = (const struct header *)bytes};
    const struct header *header = forest->header;
    if (check_header(header, size, problem) || find_sections(forest, bytes, size, problem) ||
        check_addends(header, forest->base, header->outputs,
                      "base %llu is not finite, or not a number of the type accumulate", problem))
        return -1;
    uint32_t first = 0;
    for (uint32_t t = 0; t < header->trees; t++) {
        if (check_tree(forest, t, first, problem)) return -1;
        first += forest->trees[t].nodes;
    }
    if (first != header->nodes)
        return refuse(problem, "it has %llu nodes, but %llu of them are in trees", header->nodes, first, 0, 0);
    return check_addends(header, forest->leaf_values, header->leaf_values,
                         "leaf value %llu is not finite, or not a number of the type accumulate", problem);
}
