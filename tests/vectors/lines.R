# Makes lines.csv (once; the file is kept), lines.pathways.gold.json and lines.attrition.gold.json: the treatments of up to four lines,
# their flows and sequences, and who is left after each criterion.
# Run from the repository's root: Rscript tests/vectors/lines.R     (R 4.2)
source("tests/vectors/tables_common.R")

classes <- c("endocrine", "chemotherapy", "targeted", "other")
if (!file.exists("tests/vectors/lines.csv")) {
  set.seed(20261129)
  n <- 600
  draw <- function(from, stays) {
    out <- ifelse(is.na(from) | runif(n) > stays, NA, sample(classes, n, TRUE, c(4, 5, 3, 0.3)))
    ifelse(!is.na(out) & !is.na(from) & out == from & runif(n) < 0.6, classes[(match(out, classes) %% 3) + 1], out)
  }
  first <- sample(classes, n, TRUE, c(6, 4, 2, 0.2))
  second <- draw(first, 0.7)
  third <- draw(second, 0.6)
  fourth <- draw(third, 0.4)
  first[sample(n, 7)] <- NA       # no line at all, or the first of several is not known
  second[sample(which(!is.na(third)), 5)] <- NA # a third line after none
  made <- data.frame(pid = sprintf("p%03d", seq_len(n)), first, second, third, fourth, her2 = rbinom(n, 1, 0.2))
  made$her2[sample(n, 11)] <- NA
  write.csv(made, "tests/vectors/lines.csv", row.names = FALSE, quote = FALSE, na = "")
}
d <- read.csv("tests/vectors/lines.csv", na.strings = "")
lines <- c("first", "second", "third", "fourth")
for (v in lines) d[[v]] <- factor(d[[v]], classes)
d$her2 <- d$her2 == 1


pathways <- function(id, d, lines, by = NULL) {
  k <- if (is.null(by)) rep(TRUE, nrow(d)) else !is.na(d[[by]])
  k <- k & !is.na(d[[lines[1]]])
  for (i in seq_along(lines)[-1]) k <- k & (is.na(d[[lines[i]]]) | !is.na(d[[lines[i - 1]]]))
  used <- d[k, ]
  groups <- if (is.null(by)) list(list(by = NA, level = NA, d = used)) else
    lapply(c(FALSE, TRUE), function(l) list(by = by, level = as.character(l), d = used[used[[by]] == l, ]))
  flows <- list()
  for (i in seq_along(lines)[-1]) for (g in groups) {
    had <- g$d[!is.na(g$d[[lines[i - 1]]]), ]
    for (from in classes) {
      to <- addNA(had[[lines[i]]][had[[lines[i - 1]]] == from])
      t <- table(to)
      for (j in which(t > 0))
        flows <- c(flows, list(row_of(by = g$by, level = g$level, line = i - 1, from = from, to = c(classes, NA)[j], n = as.integer(t[[j]]),
                                      share = t[[j]] / sum(t))))
    }
  }
  ways <- list()
  for (i in seq_along(lines)) for (g in groups) {
    own <- g$d[!is.na(g$d[[lines[i]]]), ]
    if (i < length(lines)) own <- own[is.na(own[[lines[i + 1]]]), ]
    way <- interaction(rev(own[lines[seq_len(i)]]), sep = "\r", lex.order = FALSE, drop = FALSE)
    t <- table(way)
    for (j in which(t > 0))
      ways <- c(ways, list(row_of(by = g$by, level = g$level, lines = as.list(rev(strsplit(names(t)[j], "\r")[[1]])), n = as.integer(t[[j]]))))
  }
  analysis(id, "pathways", nrow(used), nrow(d) - nrow(used), result = list(variables = as.list(lines), flows = flows, sequences = ways))
}

gold("lines.pathways", list(
  pathways("two", d, lines[1:2]), pathways("all", d, lines), pathways("arms", d, lines[1:3], "her2"),
  pathways("few", subset(d, first == "other"), lines)))

# criteria: a list of logical vectors; who misses one is counted as missing.
attrition <- function(id, d, criteria, by = NULL) {
  k <- complete.cases(as.data.frame(criteria)) & (if (is.null(by)) TRUE else !is.na(d[[by]]))
  groups <- if (is.null(by)) list(list(by = NA, level = NA, k = k)) else
    lapply(levels(addNA(d[[by]], ifany = FALSE)), function(l) list(by = by, level = l, k = k & d[[by]] %in% l))
  steps <- list()
  for (g in groups) if (any(g$k)) {
    left <- g$k
    steps <- c(steps, list(row_of(by = g$by, level = g$level, criterion = NA, excluded = NA, n = sum(left), share = 1)))
    for (name in names(criteria)) {
      met <- left & criteria[[name]]
      steps <- c(steps, list(row_of(by = g$by, level = g$level, criterion = name, excluded = sum(left) - sum(met), n = sum(met),
                                    share = sum(met) / sum(g$k))))
      left <- met
    }
  }
  analysis(id, "attrition", sum(k), sum(!k), result = list(steps = steps))
}
treated <- !is.na(d$first)
again <- !is.na(d$second)
targeted <- d$first == "targeted" # NA of who has none
gold("lines.attrition", list(
  attrition("all", d, list(treated = treated, targeted = targeted, again = again, her2 = d$her2)),
  attrition("arms", d, list(her2 = d$her2, again = again), "first"),
  attrition("one", d[!is.na(d$her2) & d$her2, ], list(again = again[!is.na(d$her2) & d$her2]))))
