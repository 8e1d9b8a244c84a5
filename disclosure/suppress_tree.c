/* Attributes that are read together, as a tree of cliques: eliminating one attribute after the other, the one
 * that joins the fewest others anew first, or, where a clique is too large then, the one whose clique has the
 * fewest cells (Yannakakis, SIAM J Alg Disc Meth 1981;2:77; Kjærulff, Univ. Aalborg R 90-09, 1990). Any order
 * says the same of the release. Tables that are acyclic, such as many variables by one arm, are their own
 * cliques then. */
#include "disclosure/suppress.h"

#include <math.h>
#include <string.h>

struct graph {
    size_t n;
    bool *edges; /* [n][n] */
    bool *gone;
};

static bool joined(const struct graph *graph, size_t a, size_t b)
{
    return graph->edges[a * graph->n + b];
}

/* Every two of the marked ones. */
static void join_all(struct graph *graph, const bool *marked)
{
    for (size_t a = 0; a < graph->n; a++)
        for (size_t b = 0; marked[a] && b < graph->n; b++)
            if (marked[b] && a != b)
                graph->edges[a * graph->n + b] = true;
}

/* Its classes among the marked ones: one where they have the attribute whose classes it joins. */
static size_t classes_of(const struct system *system, const bool *marked, size_t a)
{
    const struct attribute *attribute = &system->attributes[a];
    return attribute->joins != NULL && marked[attribute->fine] ? 1 : attribute->n_classes;
}

static double cells_of(const struct system *system, const bool *marked)
{
    double cells = 1;
    for (size_t a = 0; a < system->n_attributes; a++)
        cells *= marked[a] ? (double)classes_of(system, marked, a) : 1;
    return cells;
}

static struct graph graph_of(const struct system *system)
{
    const size_t n = system->n_attributes;
    struct graph graph = {.n = n,
                          .edges = arena_array(system->arena, n * n + 1, 1),
                          .gone = arena_array(system->arena, n + 1, 1)};
    bool *marked = arena_array(system->arena, n + 1, 1);
    for (size_t m = 0; m < system->n_members; m++) {
        memset(marked, 0, n);
        system_reads(system, &system->members[m], marked);
        join_all(&graph, marked);
    }
    for (size_t a = 0; a < n;
         a++) { /* an expression and what decides it: in one clique where that is small */
        const struct attribute *attribute = &system->attributes[a];
        memset(marked, 0, n);
        marked[a] = attribute->n_parts > 0;
        for (size_t i = 0; i < attribute->n_parts; i++)
            marked[system->features[attribute->parts[i]].attribute] = true;
        if (cells_of(system, marked) <= SUPPRESS_LINK_MAX)
            join_all(&graph, marked);
    }
    const struct dictionary *dictionary = system->judge->threshold->study->dictionary;
    for (size_t k = 0; k < dictionary->n_impossible; k++) { /* variables whose cross knows what nobody is */
        memset(marked, 0, n);
        if (system_impossible_reads(system, &dictionary->impossible[k], marked) &&
            cells_of(system, marked) <= SUPPRESS_LINK_MAX)
            join_all(&graph, marked);
    }
    return graph;
}

/* How many pairs of neighbours are not joined yet. */
static size_t fill_of(const struct graph *graph, size_t v)
{
    size_t fill = 0;
    for (size_t a = 0; a < graph->n; a++)
        for (size_t b = 0; b < a && joined(graph, v, a) && !graph->gone[a]; b++)
            fill += joined(graph, v, b) && !graph->gone[b] && !joined(graph, a, b);
    return fill;
}

/* Cells of the clique of v and its neighbours. marked: scratch. */
static double weight_of(const struct graph *graph, const struct system *system, size_t v, bool *marked)
{
    for (size_t a = 0; a < graph->n; a++)
        marked[a] = a == v || (joined(graph, v, a) && !graph->gone[a]);
    return cells_of(system, marked);
}

enum order { ORDER_FILL, ORDER_WEIGHT, ORDERS };

static size_t next_of(const struct graph *graph, const struct system *system, enum order order, bool *marked)
{
    size_t best = SUPPRESS_NONE;
    double least = 0;
    for (size_t v = 0; v < graph->n; v++) {
        if (graph->gone[v])
            continue;
        const double cost =
            order == ORDER_FILL ? (double)fill_of(graph, v) : weight_of(graph, system, v, marked);
        if (best == SUPPRESS_NONE || cost < least) {
            best = v;
            least = cost;
        }
    }
    return best;
}

static bool has(const struct clique *clique, size_t attribute)
{
    for (size_t i = 0; i < clique->n; i++)
        if (clique->attributes[i] == attribute)
            return true;
    return false;
}

/* One clique per attribute, of it and its neighbours at its turn; its parent is that of the neighbour whose
 * turn comes first. */
static void eliminate(struct tree *tree, const struct system *system, struct graph *graph,
                      enum order elimination)
{
    const size_t n = graph->n;
    size_t *turn = arena_array(system->arena, n + 1, sizeof *turn),
           *order = arena_array(system->arena, n + 1, sizeof *order);
    bool *marked = arena_array(system->arena, n + 1, 1);
    tree->cliques = arena_array(system->arena, n + 1, sizeof *tree->cliques);
    for (size_t i = 0; i < n; i++) {
        size_t v = order[i] = next_of(graph, system, elimination, marked);
        struct clique *clique = &tree->cliques[i];
        turn[v] = i;
        clique->attributes = arena_array(system->arena, n + 1, sizeof *clique->attributes);
        for (size_t a = 0; a < n; a++) {
            marked[a] = !graph->gone[a] && (a == v || joined(graph, v, a));
            if (marked[a])
                clique->attributes[clique->n++] = a;
        }
        join_all(graph, marked);
        graph->gone[v] = true;
    }
    for (size_t i = 0; i < n; i++) {
        struct clique *clique = &tree->cliques[i];
        clique->parent = n == 0 || i == n - 1
                             ? SUPPRESS_NONE
                             : n - 1; /* nothing in common: only how many patients there are */
        for (size_t a = 0; a < clique->n; a++) {
            size_t at = turn[clique->attributes[a]];
            if (at != i &&
                (clique->parent == n - 1 || clique->parent == SUPPRESS_NONE || at < clique->parent))
                clique->parent = at;
        }
    }
    tree->n = n;
    if (n == 0) /* nothing is told apart: one cell */
        tree->cliques[tree->n++] = (struct clique){
            .attributes = arena_array(system->arena, 1, sizeof(size_t)), .parent = SUPPRESS_NONE};
}

/* A parent that lies within its child becomes the child. */
static void absorb(struct tree *tree, const struct system *system)
{
    size_t *now = arena_array(system->arena, tree->n + 1, sizeof *now), kept = 0;
    bool *gone = arena_array(system->arena, tree->n + 1, 1);
    for (size_t i = 0; i < tree->n; i++) {
        struct clique *clique = &tree->cliques[i];
        if (clique->parent == SUPPRESS_NONE)
            continue;
        struct clique *parent = &tree->cliques[clique->parent];
        bool within = true;
        for (size_t a = 0; a < parent->n; a++)
            within = within && has(clique, parent->attributes[a]);
        if (!within)
            continue;
        parent->attributes = clique->attributes;
        parent->n = clique->n;
        gone[i] = true;
        for (size_t j = 0; j < i; j++)
            if (tree->cliques[j].parent == i)
                tree->cliques[j].parent = clique->parent;
    }
    for (size_t i = 0; i < tree->n; i++) {
        now[i] = kept;
        if (!gone[i])
            tree->cliques[kept++] = tree->cliques[i];
    }
    tree->n = kept;
    for (size_t i = 0; i < kept; i++)
        if (tree->cliques[i].parent != SUPPRESS_NONE)
            tree->cliques[i].parent = now[tree->cliques[i].parent];
}

/* --- cells --- */

/* Is it settled by another attribute of the clique? */
static bool joins_another(const struct system *system, const struct clique *clique, size_t a)
{
    return system->attributes[a].joins != NULL && has(clique, system->attributes[a].fine);
}

void tree_classes(const struct system *system, const struct clique *clique, size_t cell, uint32_t *classes)
{
    for (size_t i = clique->n; i-- > 0;) {
        const struct attribute *attribute = &system->attributes[clique->attributes[i]];
        if (joins_another(system, clique, clique->attributes[i]))
            continue;
        classes[clique->attributes[i]] = (uint32_t)(cell % attribute->n_classes);
        cell /= attribute->n_classes;
    }
    for (size_t i = 0; i < clique->n; i++) {
        const struct attribute *attribute = &system->attributes[clique->attributes[i]];
        if (joins_another(system, clique, clique->attributes[i]))
            classes[clique->attributes[i]] = attribute->joins[classes[attribute->fine]];
    }
}

/* Does `inner` ask for nothing that `outer` does not ask for? Both are a completeness. */
static bool asks_less(const struct attribute *inner, const struct attribute *outer)
{
    for (size_t i = 0; i < inner->n_parts; i++) {
        bool found = false;
        for (size_t j = 0; j < outer->n_parts; j++)
            found = found || inner->parts[i] == outer->parts[j];
        if (!found)
            return false;
    }
    return true;
}

static bool is_complete(const struct attribute *attribute)
{
    return attribute->n_parts > 0 && attribute->whole->op == OP_COMPLETE;
}

/* Nobody is complete who misses one of the parts, or who misses what another completeness asks for too. */
static bool complete_possible(const struct system *system, const struct clique *clique, size_t a,
                              const uint32_t *classes)
{
    const struct attribute *attribute = &system->attributes[a];
    if (classes[a] != attribute->class_of[2]) /* values: missing, FALSE, TRUE */
        return true;
    for (size_t k = 0; k < attribute->n_parts; k++) {
        const struct feature *part = &system->features[attribute->parts[k]];
        if (has(clique, part->attribute) && part->of_class[classes[part->attribute]] < 0)
            return false;
    }
    for (size_t j = 0; j < clique->n; j++) {
        const struct attribute *other = &system->attributes[clique->attributes[j]];
        if (is_complete(other) && asks_less(other, attribute) &&
            classes[clique->attributes[j]] != other->class_of[2])
            return false;
    }
    return true;
}

/* An expression over several variables is what they make it, where the clique has them all. values: scratch,
 * by variable. */
static bool cell_valid(const struct system *system, const struct clique *clique, const uint32_t *classes,
                       double *values, const bool *in)
{
    if (system_impossible(system, classes, in))
        return false;
    for (size_t i = 0; i < clique->n; i++) {
        const size_t a = clique->attributes[i];
        const struct attribute *attribute = &system->attributes[a];
        if (attribute->single && !joins_another(system, clique, a))
            values[attribute->variable] = attribute->value_of[classes[a]] == 0
                                              ? NAN
                                              : attribute->lattice.values[attribute->value_of[classes[a]]];
    }
    for (size_t i = 0; i < clique->n; i++) {
        const size_t a = clique->attributes[i];
        const struct attribute *attribute = &system->attributes[a];
        bool known = attribute->n_parts > 0;
        for (size_t k = 0; k < attribute->n_parts && known; k++) {
            size_t part = system->features[attribute->parts[k]].attribute;
            known = has(clique, part) && system->attributes[part].single;
        }
        if (known) {
            int32_t code = lattice_code_of(attribute->whole, values);
            if (attribute->class_of[code + 1] != classes[a])
                return false;
        }
        if (is_complete(attribute) && !complete_possible(system, clique, a, classes))
            return false;
    }
    return true;
}

/* Do both have it, and not what settles it? */
static bool is_shared(const struct system *system, const struct clique *child, const struct clique *parent,
                      size_t a)
{
    const struct attribute *attribute = &system->attributes[a];
    return has(parent, a) &&
           !(attribute->joins != NULL && has(child, attribute->fine) && has(parent, attribute->fine));
}

/* Where each cell of `of` stands in the cross of what child and parent share. */
static size_t *shared_cells(size_t *n_shared, const struct system *system, const struct clique *of,
                            const struct clique *child, const struct clique *parent, uint32_t *classes)
{
    size_t *at = arena_array(system->arena, of->n_cells, sizeof *at);
    *n_shared = 1;
    for (size_t i = 0; i < child->n; i++)
        if (is_shared(system, child, parent, child->attributes[i]))
            *n_shared *= system->attributes[child->attributes[i]].n_classes;
    for (size_t cell = 0; cell < of->n_cells; cell++) {
        tree_classes(system, of, cell, classes);
        for (size_t i = 0; i < child->n; i++)
            if (is_shared(system, child, parent, child->attributes[i]))
                at[cell] = at[cell] * system->attributes[child->attributes[i]].n_classes +
                           classes[child->attributes[i]];
    }
    return at;
}

static void members_place(const struct tree *tree, struct system *system)
{
    bool *reads = arena_array(system->arena, system->n_attributes + 1, 1);
    for (size_t m = 0; m < system->n_members; m++) {
        memset(reads, 0, system->n_attributes);
        system_reads(system, &system->members[m], reads);
        system->members[m].clique = SUPPRESS_NONE;
        for (size_t c = 0; c < tree->n && system->members[m].clique == SUPPRESS_NONE; c++) {
            bool all = true;
            for (size_t a = 0; a < system->n_attributes; a++)
                all = all && (!reads[a] || has(&tree->cliques[c], a));
            if (all)
                system->members[m].clique = c;
        }
    }
}

/* False where a clique, or all of them, have too many cells. */
static bool tree_shape(struct tree *tree, const struct system *system, enum order order)
{
    bool *marked = arena_array(system->arena, system->n_attributes + 1, 1);
    struct graph graph = graph_of(system);
    size_t all = 0;
    *tree = (struct tree){0};
    eliminate(tree, system, &graph, order);
    absorb(tree, system);
    for (size_t c = 0; c < tree->n; c++) {
        struct clique *clique = &tree->cliques[c];
        memset(marked, 0, system->n_attributes);
        for (size_t i = 0; i < clique->n; i++)
            marked[clique->attributes[i]] = true;
        if (cells_of(system, marked) > SUPPRESS_CELLS_MAX)
            return false;
        clique->n_cells = (size_t)cells_of(system, marked);
        all += clique->n_cells;
    }
    return all <= SUPPRESS_TREE_MAX;
}

bool tree_build(struct tree *tree, struct system *system)
{
    bool fits = false;
    uint32_t *classes = arena_array(system->arena, system->n_attributes + 1, sizeof *classes);
    bool *marked = arena_array(system->arena, system->n_attributes + 1, 1);
    double *values = arena_array(system->arena, system->judge->threshold->study->dictionary->n_variables + 1,
                                 sizeof *values);
    for (enum order order = ORDER_FILL; order < ORDERS && !fits; order++)
        fits = tree_shape(tree, system, order);
    if (!fits)
        return false;
    for (size_t c = 0; c < tree->n; c++) {
        struct clique *clique = &tree->cliques[c];
        memset(marked, 0, system->n_attributes);
        for (size_t i = 0; i < clique->n; i++)
            marked[clique->attributes[i]] = true;
        clique->valid = arena_array(system->arena, clique->n_cells, 1);
        for (size_t cell = 0; cell < clique->n_cells; cell++) {
            tree_classes(system, clique, cell, classes);
            clique->valid[cell] = cell_valid(system, clique, classes, values, marked);
        }
    }
    for (size_t c = 0; c < tree->n; c++) {
        struct clique *clique = &tree->cliques[c];
        if (clique->parent == SUPPRESS_NONE)
            continue;
        const struct clique *parent = &tree->cliques[clique->parent];
        clique->up = shared_cells(&clique->n_shared, system, clique, clique, parent, classes);
        clique->down = shared_cells(&clique->n_shared, system, parent, clique, parent, classes);
    }
    members_place(tree, system);
    return true;
}

/* --- what nothing bounds --- */

void tree_unbounded(bool *unbounded, const struct tree *tree, const struct system *system,
                    struct arena *arena)
{
    uint32_t *classes = arena_array(arena, system->n_attributes + 1, sizeof *classes);
    bool **open = arena_array(arena, tree->n, sizeof *open); /* [clique][cell]: in no released number */
    memset(unbounded, 0, system->n_numbers);
    for (size_t c = 0; c < tree->n; c++) {
        const struct clique *clique = &tree->cliques[c];
        open[c] = arena_array(arena, clique->n_cells, 1);
        memcpy(open[c], clique->valid, clique->n_cells);
        for (size_t cell = 0; cell < clique->n_cells; cell++) {
            tree_classes(system, clique, cell, classes);
            for (size_t m = 0; m < system->n_members && open[c][cell]; m++) {
                size_t number = system->members[m].clique == c
                                    ? system_number(system, &system->members[m], classes)
                                    : SUPPRESS_NONE;
                open[c][cell] = number == SUPPRESS_NONE || !system->numbers[number].released;
            }
        }
    }
    /* What can be continued: from the leaves to the root, and back. */
    for (size_t pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < tree->n; i++) {
            size_t c = pass == 0 ? i : tree->n - 1 - i;
            const struct clique *clique = &tree->cliques[c];
            if (clique->parent == SUPPRESS_NONE)
                continue;
            const struct clique *parent = &tree->cliques[clique->parent];
            bool *from = open[pass == 0 ? c : clique->parent], *to = open[pass == 0 ? clique->parent : c];
            const size_t *from_at = pass == 0 ? clique->up : clique->down,
                         *to_at = pass == 0 ? clique->down : clique->up;
            bool *can = arena_array(arena, clique->n_shared, 1);
            for (size_t cell = 0; cell < (pass == 0 ? clique : parent)->n_cells; cell++)
                can[from_at[cell]] = can[from_at[cell]] || from[cell];
            for (size_t cell = 0; cell < (pass == 0 ? parent : clique)->n_cells; cell++)
                to[cell] = to[cell] && can[to_at[cell]];
        }
    for (size_t c = 0; c < tree->n; c++)
        for (size_t cell = 0; cell < tree->cliques[c].n_cells; cell++) {
            if (!open[c][cell])
                continue;
            tree_classes(system, &tree->cliques[c], cell, classes);
            for (size_t m = 0; m < system->n_members; m++) {
                size_t number = system->members[m].clique == c
                                    ? system_number(system, &system->members[m], classes)
                                    : SUPPRESS_NONE;
                if (number != SUPPRESS_NONE)
                    unbounded[number] = true;
            }
        }
}
