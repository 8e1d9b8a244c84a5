utils::globalVariables(".data") # ggplot2's pronoun, which its aes() finds

# Colours that are told apart by everybody (Okabe and Ito).
COLOURS <- c("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#F0E442")

time_label <- function(x) paste0("Time", if (!is.null(x$frame$time_units)) paste0(" (", x$frame$time_units, ")"))

# Strata in the dictionary's words: "chemo=TRUE" -> "Chemotherapy: Yes".
strata_label <- function(x, strata) {
  factors <- Filter(function(f) length(f$levels) > 0, x$frame$factors)
  if (length(factors) == 0) return(ifelse(strata == "all", "All patients", strata))
  names <- texts(lapply(factors, `[[`, "name"))
  levels <- setNames(lapply(factors, function(f) texts(f$levels)), names)
  grid <- expand.grid(levels, stringsAsFactors = FALSE, KEEP.OUT.ATTRS = FALSE)
  raw <- do.call(paste, c(Map(function(name, value) paste0(name, "=", value), names, grid), sep = ", "))
  words <- do.call(paste, c(Map(function(name, value) {
    paste0(label_of(x, name), ": ", vapply(value, function(v) level_label(x, name, v), "", USE.NAMES = FALSE))
  }, names, grid), sep = ", "))
  at <- match(strata, raw)
  ifelse(is.na(at), strata, words[at])
}

# What a figure says of made-up patients.
mark <- function(object) if (isTRUE(object$synthetic)) ggplot2::labs(caption = SYNTHETIC)

# A curve as steps from (0, start).
from_start <- function(table, groups, start) {
  parts <- split(table, table[groups], drop = TRUE)
  do.call(rbind, lapply(parts, function(part) {
    first <- part[1, ]
    first$time <- 0
    first[c("estimate", "conf_low", "conf_high")] <- start
    rbind(first, part)
  }))
}

# Limits as a band of steps: ggplot2's ribbons are straight between points.
band <- function(table, groups) {
  parts <- split(table, table[groups], drop = TRUE)
  do.call(rbind, lapply(parts, function(part) {
    n <- nrow(part)
    at <- rep(seq_len(n), each = 2)
    out <- part[at[-1], ]
    out[c("conf_low", "conf_high")] <- part[at[-2 * n], c("conf_low", "conf_high")]
    out
  }))
}

#' Figures with ggplot2
#'
#' `autoplot()` of Kaplan-Meier curves and cumulative incidence (steps with bands), models (a forest, on a log axis where the
#' estimates are ratios), standardised mean differences (before and after weighting), and histograms. For a curve with a
#' table of numbers at risk: `survminer::ggsurvplot(as_survfit(x), risk.table = TRUE)`.
#'
#' @param object an analysis of [maille_read()].
#' @param ... nothing.
#' @return A ggplot, which takes further layers, scales and themes.
#' @examplesIf requireNamespace("ggplot2", quietly = TRUE)
#' r <- maille_read(maille_example("first-study.json"))
#' ggplot2::autoplot(r$cox)
#' ggplot2::autoplot(r$os)
#' @name autoplot.maille_analysis
NULL

#' @rdname autoplot.maille_analysis
#' @exportS3Method ggplot2::autoplot
autoplot.maille_km <- function(object, ...) {
  table <- from_start(as.data.frame(object), "stratum", 1)
  curves_plot(object, table, "stratum", ggplot2::aes(colour = .data$stratum, fill = .data$stratum, linetype = .data$stratum)) +
    ggplot2::labs(y = "Survival", colour = NULL, fill = NULL, linetype = NULL)
}

#' @rdname autoplot.maille_analysis
#' @exportS3Method ggplot2::autoplot
autoplot.maille_cuminc <- function(object, ...) {
  table <- from_start(as.data.frame(object), c("stratum", "cause"), 0)
  curves_plot(object, table, c("stratum", "cause"),
              ggplot2::aes(colour = .data$stratum, fill = .data$stratum, linetype = .data$cause)) +
    ggplot2::labs(y = "Cumulative incidence", colour = NULL, fill = NULL, linetype = NULL)
}

curves_plot <- function(object, table, groups, aesthetics) {
  strata <- unique(table$stratum)
  table$stratum <- factor(strata_label(object, table$stratum), strata_label(object, strata))
  if (!is.null(table$cause)) {
    status <- object$frame$status
    causes <- unique(texts(lapply(object$result$curves, `[[`, "cause")))
    words <- vapply(causes, function(v) level_label(list(frame = list(factors = list(c(name = "", status)))), "", v), "")
    table$cause <- factor(unname(words[match(table$cause, causes)]), unique(unname(words)))
  }
  n <- length(unique(table$stratum))
  table$group <- interaction(table[groups], drop = TRUE)
  ggplot2::ggplot(table, ggplot2::aes(x = .data$time, y = .data$estimate, group = .data$group)) +
    ggplot2::geom_ribbon(ggplot2::aes(ymin = .data$conf_low, ymax = .data$conf_high, fill = .data$stratum),
                         data = band(table, groups), alpha = 0.15, na.rm = TRUE) +
    ggplot2::geom_step(aesthetics[names(aesthetics) != "fill"], na.rm = TRUE) +
    ggplot2::scale_colour_manual(values = rep_len(COLOURS, n)) + ggplot2::scale_fill_manual(values = rep_len(COLOURS, n)) +
    ggplot2::scale_y_continuous(limits = c(0, 1)) + ggplot2::labs(x = time_label(object)) + ggplot2::theme_minimal() + mark(object)
}

#' @rdname autoplot.maille_analysis
#' @exportS3Method ggplot2::autoplot
autoplot.maille_model <- function(object, ...) {
  table <- table_regression(object)
  ratio <- attr(table, "ratio")
  table <- table[table$variable != "(Intercept)" & (!is.na(table$estimate) | table$reference_row), ]
  heading <- vapply(table$variable, function(v) label_of(object, v), "")
  table$label <- ifelse(table$row_type == "level", paste0(heading, ": ", table$label), table$label)
  table$label <- factor(table$label, levels = rev(unique(table$label)))
  none <- if (is.na(ratio)) 0 else 1
  table$estimate[table$reference_row] <- none
  ggplot2::ggplot(table, ggplot2::aes(x = .data$estimate, y = .data$label)) +
    ggplot2::geom_vline(xintercept = none, linetype = 2, colour = "grey50") +
    ggplot2::geom_linerange(ggplot2::aes(xmin = .data$conf.low, xmax = .data$conf.high), colour = COLOURS[1], na.rm = TRUE) +
    ggplot2::geom_point(ggplot2::aes(shape = .data$reference_row), colour = COLOURS[1], size = 2.5, show.legend = FALSE) +
    ggplot2::scale_shape_manual(values = c(`FALSE` = 15, `TRUE` = 0)) +
    (if (is.na(ratio)) ggplot2::scale_x_continuous() else ggplot2::scale_x_log10()) +
    ggplot2::labs(x = paste0(if (is.na(ratio)) "Estimate" else ratio, " (", 100 * conf_level_of(object), " % CI)"), y = NULL) +
    ggplot2::theme_minimal() + mark(object)
}

#' @rdname autoplot.maille_analysis
#' @exportS3Method ggplot2::autoplot
autoplot.maille_smd <- function(object, ...) {
  table <- as.data.frame(object)
  label <- mapply(function(variable, level) {
    if (is.na(level)) label_of(object, variable) else paste0(label_of(object, variable), ": ", level_label(object, variable, level))
  }, table$variable, table$level, USE.NAMES = FALSE)
  parts <- intersect(c("unweighted", "weighted"), names(table))
  long <- do.call(rbind, lapply(parts, function(part) data.frame(label = label, when = part, smd = abs(table[[part]]))))
  ggplot2::ggplot(long, ggplot2::aes(x = .data$smd, y = .data$label, colour = .data$when, shape = .data$when)) +
    ggplot2::geom_vline(xintercept = 0.1, linetype = 2, colour = "grey50") + ggplot2::geom_point(size = 2.5, na.rm = TRUE) +
    ggplot2::scale_colour_manual(values = COLOURS) +
    ggplot2::labs(x = "Standardised mean difference", y = NULL, colour = NULL, shape = NULL) +
    ggplot2::theme_minimal() + mark(object)
}

#' @rdname autoplot.maille_analysis
#' @exportS3Method ggplot2::autoplot
autoplot.maille_histogram <- function(object, ...) {
  table <- as.data.frame(object)
  plot <- ggplot2::ggplot(table) +
    ggplot2::geom_rect(ggplot2::aes(xmin = .data$from, xmax = .data$to, ymin = 0, ymax = .data$n), fill = COLOURS[1],
                       colour = "white", na.rm = TRUE) +
    ggplot2::labs(x = label_of(object, object$asked$variable), y = "Patients") + ggplot2::theme_minimal() + mark(object)
  if ("level" %in% names(table) && length(unique(table$level)) > 1) plot + ggplot2::facet_wrap(~level) else plot
}
