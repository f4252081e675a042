/* From margins to values, with an exponential of our own: the same bits on every processor, and in Python. */
#include "forest.h"

#define LN2 0x1.62e42fefa39efp-1
#define LN2_REST 0x1.abc9e3b39803fp-56 /* ln 2 - LN2 */
#define LN2_HIGH 0x1.62e42feep-1       /* 32 bits: k * LN2_HIGH is exact */
#define LN2_LOW 0x1.a39ef35793c76p-33  /* ln 2 - LN2_HIGH */
#define LOG2_E 0x1.71547652b82fep+0
#define SPLITTER 134217729.0 /* 2^27 + 1: halves a number's digits (Dekker 1971) */

/* 1/3!, 1/4!, ... 1/15! */
static const double FACTORIALS[] = {
    1.0 / 6,        1.0 / 24,        1.0 / 120,        1.0 / 720,          1.0 / 5040,          1.0 / 40320,         1.0 / 362880,
    1.0 / 3628800., 1.0 / 39916800., 1.0 / 479001600., 1.0 / 6227020800., 1.0 / 87178291200., 1.0 / 1307674368000.,
};
#define TERMS ((int)(sizeof FACTORIALS / sizeof *FACTORIALS))

/* Return what a * b lacks to the exact product. */
static double product_rest(double a, double b) {
    const double a_split = SPLITTER * a, a_high = a_split - (a_split - a), a_low = a - a_high;
    const double b_split = SPLITTER * b, b_high = b_split - (b_split - b), b_low = b - b_high;
    return ((a_high * b_high - a * b) + a_high * b_low + a_low * b_high) + a_low * b_low;
}

/* Return 2^k for k from -1022 to 1023. */
static double power_of_two(int k) {
    const union {
        uint64_t bits;
        double value;
    } power = {(uint64_t)(k + 1023) << 52};
    return power.value;
}

/* Return 2^k e^(r + rest), for |r| <= 0.35, within 0.53 units in the last place: 1 + r + r^2/2 keep what rounding takes. */
static double scaled_exponential(int k, double r, double rest) {
    double tail = FACTORIALS[TERMS - 1];
    for (int i = TERMS - 2; i >= 0; i--) tail = tail * r + FACTORIALS[i];
    const double square = r * r, half = 0.5 * square;
    const double first = 1 + r, second = first + half;
    const double lost = (r - (first - 1)) + (half - (second - first)) + 0.5 * product_rest(r, r);
    const double value = second + (lost + (rest + rest * r) + square * r * tail);
    if (k > 1022) return value * power_of_two(1022) * power_of_two(k - 1022);
    if (k < -1020) return value * power_of_two(k + 600) * power_of_two(-600);
    return value * power_of_two(k);
}

static int nearest(double value) { return (int)(value < 0 ? value - 0.5 : value + 0.5); }

static double exponential(double x) {
    if (x != x) return x;
    if (x > 710) return __builtin_inf();
    if (x < -746) return 0;
    const int k = nearest(x * LOG2_E);
    const double high = x - k * LN2_HIGH, low = k * LN2_LOW, r = high - low;
    return scaled_exponential(k, r, (high - r) - low);
}

/* Return 2^x. */
static double power(double x) {
    if (x > 1025) return __builtin_inf();
    if (x < -1076) return 0;
    const int k = nearest(x);
    const double f = x - k;
    return scaled_exponential(k, f * LN2, product_rest(f, LN2) + f * LN2_REST);
}

static double sigmoid(double x) { return 1 / (1 + exponential(-x)); }

uint32_t forest_columns(const struct forest *forest) {
    const struct header *header = forest->header;
    return header->transform == BINARY_SIGMOID || header->transform == ISOLATION ? 2 : header->outputs;
}

/* Round as sums are, and make every NaN the same: processors choose other signs for theirs. */
static double rounded(const struct header *header, double value) {
    if (value != value) return __builtin_nan("");
    return header->accumulate == ACCUMULATE_FLOAT32 ? (float)value : value;
}

static void softmax(const struct header *header, const double *margins, double *values) {
    double greatest = -__builtin_inf(), sum = 0;
    for (uint32_t i = 0; i < header->outputs; i++) {
        values[i] = header->scale * margins[i];
        if (values[i] > greatest) greatest = values[i];
    }
    for (uint32_t i = 0; i < header->outputs; i++) {
        values[i] = exponential(values[i] - greatest);
        sum += values[i];
    }
    for (uint32_t i = 0; i < header->outputs; i++) values[i] = rounded(header, values[i] / sum);
}

void forest_transform(const struct forest *forest, const double *margins, uint64_t count, double *values) {
    const struct header *header = forest->header;
    const uint32_t outputs = header->outputs, columns = forest_columns(forest);
    for (uint64_t row = 0; row < count; row++, margins += outputs, values += columns) {
        if (header->transform == SOFTMAX) {
            softmax(header, margins, values);
            continue;
        }
        for (uint32_t i = 0; i < outputs; i++) {
            const double margin = header->scale * margins[i];
            switch (header->transform) {
            case IDENTITY:
                values[i] = rounded(header, margin);
                break;
            case SIGMOID:
                values[i] = rounded(header, sigmoid(margin));
                break;
            case EXP:
                values[i] = rounded(header, exponential(margin));
                break;
            case BINARY_SIGMOID:
                values[1] = rounded(header, sigmoid(margin));
                values[0] = rounded(header, 1 - values[1]);
                break;
            case ISOLATION:
                values[0] = rounded(header, -power(-margin));
                values[1] = rounded(header, values[0] - header->offset);
            }
        }
    }
}
