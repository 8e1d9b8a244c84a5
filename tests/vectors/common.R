# What the scripts that make gold files share: JSON with 17 digits, the Rotterdam data as the dictionary types them, the grid.
# Nothing here is needed to run the tests.

to_json <- function(x) {
  if (is.null(x)) return("null")
  if (is.list(x)) {
    inner <- vapply(x, to_json, "")
    if (is.null(names(x))) return(paste0("[", paste(inner, collapse = ", "), "]"))
    return(paste0("{", paste0('"', names(x), '": ', inner, collapse = ", "), "}"))
  }
  if (is.matrix(x)) return(to_json(lapply(seq_len(nrow(x)), function(i) as.list(unname(x[i, ])))))
  if (length(x) != 1) return(to_json(as.list(unname(x))))
  if (is.na(x) || (is.numeric(x) && !is.finite(x))) return("null")
  if (is.character(x)) return(paste0('"', gsub('"', '\\\\"', gsub("\\\\", "\\\\\\\\", x)), '"'))
  if (is.logical(x)) return(if (x) "true" else "false")
  if (x == round(x) && abs(x) < 1e15) return(sprintf("%.0f", x))
  sprintf("%.17g", x)
}

# One analysis a line, so that a changed number is a changed line.
write_gold <- function(path, analyses) {
  lines <- vapply(analyses, to_json, "")
  cat('{ "_made_by": ', to_json(paste0(R.version.string, ", survival ", packageVersion("survival"))), ',\n  "analyses": [\n    ',
      paste(lines, collapse = ",\n    "), "\n  ] }\n", sep = "", file = path)
}

rotterdam <- function() {
  d <- read.csv("examples/rotterdam/rotterdam.csv")
  d$size <- factor(d$size, levels = c("<=20", "20-50", ">50"))
  d$grade <- factor(d$grade, levels = c("2", "3"))
  for (v in c("meno", "hormon", "chemo", "recur", "death")) d[[v]] <- d[[v]] == 1
  d
}

# Times on the grid of width w (docs/STUDY.md §6): exits up, first entries down, an entry that continues the patient's earlier
# row as that row's exit. An emptied row is dropped; if it holds an event it becomes (exit − w, exit] and the patient's earlier rows
# are cut there. 1e-9: a time that stands on an edge stays on it.
on_grid_exit <- function(t, w) ceiling(t / w - 1e-9)
on_grid <- function(d, start, stop, event, w, key = "pid") {
  d <- d[order(d[[key]], d[[stop]]), ]
  d$.exit <- on_grid_exit(d[[stop]], w)
  d$.entry <- floor(d[[start]] / w + 1e-9)
  keep <- rep(TRUE, nrow(d))
  for (rows in split(seq_len(nrow(d)), d[[key]])) {
    for (k in seq_along(rows)) {
      i <- rows[k]
      if (k > 1 && d[[start]][i] == d[[stop]][rows[k - 1]]) d$.entry[i] <- d$.exit[rows[k - 1]]
      if (d$.entry[i] < d$.exit[i]) next
      if (!d[[event]][i]) { keep[i] <- FALSE; next }
      d$.entry[i] <- d$.exit[i] - 1
      for (j in rows[seq_len(k - 1)]) {
        d$.exit[j] <- min(d$.exit[j], d$.entry[i])
        if (d$.entry[j] >= d$.exit[j]) keep[j] <- FALSE
      }
    }
  }
  d[[start]] <- d$.entry * w
  d[[stop]] <- d$.exit * w
  d[keep, ]
}

# Levels of factors that nobody of the model has: "size=>50".
dropped_levels <- function(frame_all, frame_used) {
  out <- character()
  for (v in names(frame_used)) {
    x <- frame_all[[v]]
    if (is.factor(x)) {
      used <- frame_used[[v]]
      out <- c(out, paste0(v, "=", levels(x))[!levels(x) %in% as.character(used)])
    }
  }
  as.list(out)
}

# Rows per column of a model matrix that is an indicator (all its variables are factors or logicals), and events among them.
level_counts <- function(X, assign, terms, frame, event) {
  classes <- vapply(frame, function(x) is.factor(x) || is.logical(x), NA)
  factors <- attr(terms, "factors")
  n <- e <- rep(NA_real_, ncol(X))
  for (j in seq_len(ncol(X))) {
    if (assign[j] == 0) next
    vars <- rownames(factors)[factors[, assign[j]] > 0]
    if (!all(classes[vars])) next
    n[j] <- sum(X[, j] == 1)
    if (!is.null(event)) e[j] <- sum(event[X[, j] == 1])
  }
  list(n = n, n_event = e)
}

# se: what the tests use; naive: the model's own where se is robust.
term_rows <- function(names, estimate, se, df, conf, counts, naive = NULL) {
  z <- estimate / se
  q <- if (is.finite(df)) qt((1 + conf) / 2, df) else qnorm((1 + conf) / 2)
  p <- if (is.finite(df)) 2 * pt(-abs(z), df) else 2 * pnorm(-abs(z))
  lapply(seq_along(names), function(j) list(
    term = names[j], estimate = estimate[j], std_error = if (is.null(naive)) se[j] else naive[j],
    robust_se = if (is.null(naive)) NA else se[j], statistic = z[j], p_value = p[j],
    conf_low = estimate[j] - q * se[j], conf_high = estimate[j] + q * se[j], n = counts$n[j], n_event = counts$n_event[j]))
}

chisq_test <- function(statistic, df) list(statistic = statistic, df = df, p_value = pchisq(statistic, df, lower.tail = FALSE))

# Median and its limits of every curve, as print(survfit) has them (survival:::survmean). Not quantile.survfit: where a limit rises again it
# takes another time, and of a curve that ends at one half the middle of what follows.
printed_medians <- function(f) {
  t <- rbind(summary(f)$table)
  list(median = unname(t[, "median"]), low = unname(t[, grep("LCL$", colnames(t))]), high = unname(t[, grep("UCL$", colnames(t))]))
}
