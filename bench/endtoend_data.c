/* endtoend_data KIND ROWS: writes the CSV of one data set of bench/part_endtoend.sh to standard output. The
 * numbers follow from the kind, the row and nothing else (splitmix64 counters, Steele, Lea and Flood 2014):
 * the first rows are the same whatever ROWS is.
 *
 *   model  10 centres, ten covariates, a binary outcome, follow-up in whole days over ten years
 *   curve  18 centres, four groups, follow-up in whole days over ten years
 *   esme   18 centres, twenty covariates, follow-up in whole days over ten years */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAYS_MAX = 3652, CENTRES = 18, ESME_MARKERS = 14 };

static uint64_t draw_bits(uint64_t row, uint64_t draw)
{
    uint64_t z = (row * 64 + draw + 20240611) * 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* In (0, 1). */
static double draw_uniform(uint64_t row, uint64_t draw)
{
    return ((double)(draw_bits(row, draw) >> 11) + 0.5) * 0x1p-53;
}

/* About normal: the sum of four uniform numbers of 16 bits, in thousandths, within ±3464. */
static int draw_thousandths(uint64_t row, uint64_t draw)
{
    uint64_t bits = draw_bits(row, draw);
    double sum = 0;
    for (int k = 0; k < 4; k++, bits >>= 16)
        sum += (double)(bits & 0xffff) / 65536;
    return (int)lrint((sum - 2) * 1732);
}

/* Exponential follow-up of this hazard per day against administrative censoring between one and ten years. */
static void draw_follow_up(int *days, int *event, uint64_t row, uint64_t draw, double hazard)
{
    double death = -log(draw_uniform(row, draw)) / hazard,
           censoring = 365 + draw_uniform(row, draw + 1) * (DAYS_MAX - 365);
    *event = death <= censoring;
    double at = ceil(*event ? death : censoring);
    *days = at < 1 ? 1 : at > DAYS_MAX ? DAYS_MAX : (int)at;
}

static void write_model(uint64_t row)
{
    int x[6], age = 30 + (int)(draw_bits(row, 6) % 56), nodes = (int)(draw_bits(row, 7) % 8), flag[2], days,
              event;
    double eta = 0.02 * (age - 60) + 0.08 * nodes;
    for (uint64_t k = 0; k < 6; k++) {
        x[k] = draw_thousandths(row, k);
        eta += (k % 2 ? -0.15 : 0.1) * (double)(k + 1) / 3 * x[k] / 1000;
    }
    for (uint64_t k = 0; k < 2; k++) {
        flag[k] = draw_uniform(row, 8 + k) < (k ? 0.3 : 0.6);
        eta += (k ? 0.4 : -0.25) * flag[k];
    }
    int y = draw_uniform(row, 10) < 1 / (1 + exp(0.7 - eta));
    draw_follow_up(&days, &event, row, 11, exp(eta - 7.5));
    printf("%llu,c%02d", (unsigned long long)row + 1, 1 + (int)(draw_bits(row, 20) % 10));
    for (int k = 0; k < 6; k++)
        printf(",%s%d.%03d", x[k] < 0 ? "-" : "", abs(x[k]) / 1000, abs(x[k]) % 1000);
    printf(",%d,%d,%d,%d,%d,%d,%d\n", age, nodes, flag[0], flag[1], y, days, event);
}

/* Centres of unequal size: the k-th has a share that grows with k, 0.6 to 10.5 percent. */
static int draw_centre(uint64_t row, uint64_t draw)
{
    int at = (int)(draw_bits(row, draw) % (CENTRES * (CENTRES + 1) / 2)), centre = 1;
    while (at >= centre)
        at -= centre++;
    return centre;
}

static void write_curve(uint64_t row)
{
    static const double rate[4] = {1, 1.2, 0.8, 1.5};
    int group = (int)(draw_bits(row, 1) % 4), days, event;
    draw_follow_up(&days, &event, row, 2, rate[group] * exp(-7.2));
    printf("%llu,c%02d,%c,%d,%d\n", (unsigned long long)row + 1, draw_centre(row, 0), 'A' + group, days,
           event);
}

static void write_esme(uint64_t row)
{
    int age = 30 + (int)(draw_bits(row, 1) % 56), ecog = (int)(draw_bits(row, 2) % 5),
        sites = 1 + (int)(draw_bits(row, 3) % 8), days, event;
    int subtype = (int)(draw_bits(row, 4) % 4), visceral = draw_uniform(row, 5) < 0.55,
        novo = draw_uniform(row, 6) < 0.3, marker[ESME_MARKERS];
    double eta =
        0.012 * (age - 60) + 0.25 * ecog + 0.07 * sites + 0.3 * visceral - 0.2 * novo + 0.15 * subtype;
    for (uint64_t k = 0; k < ESME_MARKERS; k++) {
        marker[k] = draw_thousandths(row, 10 + k);
        eta += (k % 3 == 0 ? 0.1 : k % 3 == 1 ? -0.05 : 0.01) * marker[k] / 1000;
    }
    draw_follow_up(&days, &event, row, 30, exp(eta - 7.8));
    printf("%llu,c%02d,%d,%d,%d,%c,%d,%d", (unsigned long long)row + 1, draw_centre(row, 0), age, ecog, sites,
           'A' + subtype, visceral, novo);
    for (int k = 0; k < ESME_MARKERS; k++)
        printf(",%s%d.%03d", marker[k] < 0 ? "-" : "", abs(marker[k]) / 1000, abs(marker[k]) % 1000);
    printf(",%d,%d\n", days, event);
}

static const struct {
    const char *name, *header;
    void (*write)(uint64_t row);
} kinds[] = {
    {"model", "id,centre,x1,x2,x3,x4,x5,x6,age,nodes,treated,prior,y,days,death", write_model},
    {"curve", "id,centre,arm,days,death", write_curve},
    {"esme",
     "id,centre,age,ecog,sites,subtype,visceral,novo,m1,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,days,"
     "death",
     write_esme},
};

int main(int argc, char **argv)
{
    char *end = NULL;
    unsigned long long rows = argc == 3 ? strtoull(argv[2], &end, 10) : 0;
    for (size_t k = 0; rows > 0 && *end == '\0' && k < sizeof kinds / sizeof *kinds; k++)
        if (strcmp(argv[1], kinds[k].name) == 0) {
            puts(kinds[k].header);
            for (uint64_t row = 0; row < rows; row++)
                kinds[k].write(row);
            return ferror(stdout) || fclose(stdout) != 0;
        }
    fputs("endtoend_data: expected KIND (model, curve or esme) and a number of rows above 0\n", stderr);
    return 2;
}
