#include <string.h>

#include "query/study.h"

/* What is asked, as canonical bytes. Each part stands behind a mark of its own or its number. */

static void put_expression(struct bytes *out, const struct expression *expression)
{
    bytes_put_u8(out, expression != NULL);
    if (expression != NULL)
        expression_serialise(out, expression);
}

static void put_factors(struct bytes *out, const struct formula_factor *factors, size_t n)
{
    bytes_put_u64(out, n);
    for (size_t i = 0; i < n; i++) {
        put_expression(out, factors[i].expression);
        bytes_put_u64(out, factors[i].n_basis);
        for (size_t b = 0; b < factors[i].n_basis; b++)
            put_expression(out, factors[i].basis[b]);
        bytes_put_u8(out, factors[i].orthogonal);
    }
}

static void put_formula(struct bytes *out, const struct analysis *a, const struct formula *f)
{
    bytes_put_u8(out, (uint8_t)f->kind);
    put_expression(out, f->response);
    put_expression(out, f->start);
    put_expression(out, f->stop);
    put_expression(out, f->event);
    bytes_put_u8(out, f->kind == RESPONSE_SURVIVAL ? (uint8_t)(a->study->grid + 1) : 0);
    bytes_put_u8(out, f->intercept);
    put_factors(out, f->factors, f->n_factors);
    bytes_put_u64(out, f->n_terms);
    for (size_t i = 0; i < f->n_terms; i++)
        bytes_put_u64(out, f->terms[i].factors);
    put_expression(out, f->offset);
    put_factors(out, f->strata, f->n_strata);
    bytes_put_u8(out, f->strata_site);
    put_factors(out, &f->cluster, f->has_cluster && f->cluster.expression != NULL);
    bytes_put_u8(out, f->has_cluster);
    bytes_put_u8(out, f->cluster_site);
    bytes_put_u8(out, f->cluster_patient);
}

static void put_propensity(struct bytes *out, const struct analysis *a, const struct propensity *p)
{
    put_formula(out, a, p->formula);
    bytes_put_u8(out, p->att);
    bytes_put_u8(out, p->stabilised);
    bytes_put_u8(out, p->truncated);
    bytes_put_f64(out, p->truncated ? p->low : 0);
    bytes_put_f64(out, p->truncated ? p->high : 0);
}

static void put_value(struct bytes *out, struct arena *arena, const struct analysis *a,
                      const struct query_key *key, const struct query_value *value)
{
    const bool named = key->kind == KEY_TEXT && value->n > 0;
    bytes_put_u64(out, value->n);
    for (size_t i = 0; i < value->n; i++) {
        put_expression(out, value->expressions != NULL ? value->expressions[i] : NULL);
        bytes_put_f64(out, value->numbers != NULL ? value->numbers[i] : 0);
    }
    bytes_put_string(out, named ? value->names[0] : "");
    bytes_put_u64(out, key->kind == KEY_SUBGROUPS ? 0 : value->choice);
    bytes_put_u8(out, value->formula != NULL);
    if (value->formula != NULL)
        put_formula(out, a, value->formula);
    bytes_put_u8(out, value->model != NULL);
    if (value->model != NULL)
        analysis_serialise(out, arena, value->model);
    for (size_t i = 0; value->analyses != NULL && i < value->n; i++)
        analysis_serialise(out, arena, value->analyses[i]);
}

void analysis_serialise(struct bytes *out, struct arena *arena, const struct analysis *a)
{
    bytes_put_string(out, a->method);
    put_expression(out, a->cohort);
    bytes_put_u64(out, a->n_by);
    for (size_t i = 0; i < a->n_by; i++)
        put_expression(out, a->by[i]);
    bytes_put_u8(out, a->propensity != NULL);
    if (a->propensity != NULL)
        put_propensity(out, a, a->propensity);
    else
        put_expression(out, a->weights);
    bytes_put_f64(out, a->conf_level);
    for (size_t k = 0; k < a->declared->n_keys; k++)
        put_value(out, arena, a, &a->declared->keys[k], &a->values[k]);
    /* Whose rows count also by the other models of the study. */
    const bool others = a->study->missing == MISSING_STUDY && a->declared->is_model;
    put_expression(out, others ? analysis_complete(a, arena, NULL, 0) : NULL);
}

/* --- names --- */

static void put_name(struct bytes *out, const char *name)
{
    bytes_put_string(out, name != NULL ? name : "");
}

static void put_levels(struct bytes *out, const struct expression *expression)
{
    const bool named =
        expression != NULL && expression->kind == EXPRESSION_CODE && expression->levels != NULL;
    bytes_put_u32(out, named ? expression->n_levels : 0);
    for (uint32_t i = 0; named && i < expression->n_levels; i++)
        put_name(out, expression->levels[i]);
}

static void put_factor_levels(struct bytes *out, const struct formula_factor *factors, size_t n)
{
    for (size_t i = 0; i < n; i++)
        put_levels(out, factors[i].expression);
}

static void put_formula_names(struct bytes *out, const struct formula *f)
{
    bytes_put_u8(out, f != NULL);
    if (f == NULL)
        return;
    put_name(out, f->text);
    put_levels(out, f->response);
    put_levels(out, f->event);
    put_factor_levels(out, f->factors, f->n_factors);
    put_factor_levels(out, f->strata, f->n_strata);
    put_factor_levels(out, &f->cluster, f->has_cluster);
}

void analysis_names(struct bytes *out, const struct analysis *a)
{
    for (size_t i = 0; i < a->n_by; i++) {
        put_name(out, a->by_names[i]);
        put_levels(out, a->by[i]);
    }
    put_name(out, a->weights_name);
    put_name(out, a->subgroup);
    put_formula_names(out, a->propensity != NULL ? a->propensity->formula : NULL);
    for (size_t k = 0; k < a->declared->n_keys; k++) {
        const struct query_value *value = &a->values[k];
        bytes_put_u8(out,
                     value->present); /* a key that is not there may mean another thing than its default */
        for (size_t i = 0; i < value->n; i++) {
            put_name(out, value->names != NULL ? value->names[i] : NULL);
            put_levels(out, value->expressions != NULL ? value->expressions[i] : NULL);
        }
        put_formula_names(out, value->formula);
        bytes_put_u8(out, value->model != NULL);
        if (value->model != NULL)
            analysis_names(out, value->model);
        for (size_t i = 0; value->analyses != NULL && i < value->n; i++)
            analysis_names(out, value->analyses[i]);
    }
}
