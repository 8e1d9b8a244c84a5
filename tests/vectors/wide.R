# Spreads far smaller than the dictionary's bounds: wide.means, wide.models, wide.sites. Skewness is then null, with a sentence. `Rscript tests/vectors/wide.R data` makes the data.
source("tests/vectors/means_methods.R")
source("tests/vectors/tables_methods.R")

if (identical(commandArgs(TRUE), "data")) {
  set.seed(37303)
  n <- 90
  d <- data.frame(pid = sprintf("W%03d", 1:n), g = sample(c("A", "B"), n, TRUE), t = rbinom(n, 1, .5))
  d$a <- sprintf("%d", 1700000000L + sample(0:40, n, TRUE)) # seconds of a minute, in bounds of 63 years
  d$b <- sprintf("%d", 50000000L + sample(0:9, n, TRUE) + 3L * (d$g == "B"))
  d$c <- sprintf("%.3f", 765432 + sample(0:990, n, TRUE) / 1000)
  d$z <- sprintf("%d", ifelse(d$g == "A", 3L, 999999000L) + sample(0:50, n, TRUE)) # two groups at either end
  d$same <- "123456789"
  d$z[7] <- NA
  write.csv(d, "tests/vectors/wide.csv", row.names = FALSE, quote = FALSE, na = "")
}

d <- read.csv("tests/vectors/wide.csv")
# R's own means and sums of squares lose digits on such numbers: it gets them without what they have in common, which is given back to the means.
common <- c(a = 1700000000, b = 50000000, c = 765432, same = 123456789)
for (v in names(common)) d[[v]] <- round(1000 * (d[[v]] - common[[v]])) / 1000
d$g <- factor(d$g, levels = c("A", "B"))
d$t <- d$t == 1
given_back <- function(gold) {
  gold$result$variables <- lapply(gold$result$variables, function(v) {
    if (v$variable %in% names(common)) { v$mean <- v$mean + common[[v$variable]]; v$sum <- v$sum + v$n * common[[v$variable]] }
    v
  })
  gold
}
means_back <- function(gold, v) { gold$result$means <- lapply(gold$result$means, function(m) { m$mean <- m$mean + common[[v]]; m }); gold }
untold <- function(gold) { gold$result$variables <- lapply(gold$result$variables, function(v) { if (v$variable != "z" || !is.na(v$by)) v["skewness"] <- list(NA); v }); gold }
gold("wide.means", list(
  given_back(untold(describe("d", d, c("a", "b", "c", "same")))), given_back(untold(describe("dg", d, c("a", "c", "z"), "g"))),
  ttest("ta", d, a ~ g), ttest("tb", d, b ~ g), ttest("tc", d, c ~ t), means_back(anova_gold("aa", d, a ~ g), "a"), means_back(anova_gold("ac", d, c ~ g), "c"), anova_gold("az", d, z ~ g),
  correlation("r", d, c("a", "b", "c")), smd("s", d, "t", c("a", "b", "c", "same"))))

# Models: the same, with what is in common given back to the constant, and to g's level where a slope is its own.
source("tests/vectors/models.R")
model_back <- function(gold, y = NULL, conf = 0.95) {
  number <- function(field) vapply(gold$result$terms, function(t) as.numeric(t[[field]]), 0)
  names <- vapply(gold$result$terms, `[[`, "", "term")
  there <- !is.na(number("estimate"))
  T <- diag(length(names))
  for (v in names(common)) for (pair in list(c(v, "(Intercept)"), c(paste0(v, ":gB"), "gB")))
    if (all(pair %in% names)) T[match(pair[2], names), match(pair[1], names)] <- -common[[v]]
  T <- T[there, there]
  V <- gold$result$vcov
  V[there, there] <- T %*% V[there, there] %*% t(T)
  b <- number("estimate")
  b[there] <- drop(T %*% b[there])
  if (!is.null(y)) b[1] <- b[1] + common[[y]]
  gold$result$terms <- term_rows(names, b, sqrt(diag(V)), if (is.null(y)) Inf else gold$result$df_residual, conf,
                                 list(n = number("n"), n_event = number("n_event")))
  gold$result$vcov <- V
  gold
}
y <- gaussian(); b <- binomial(); p <- poisson()
gold("wide.models", list(
  model_back(glm_gold("line", d, y, "c ~ a + b + g"), "c"), model_back(glm_gold("line-level", d, y, "b ~ a * g"), "b"),
  model_back(glm_gold("line-twice", d, y, "c ~ a + I(2 * a + 1)"), "c"), model_back(glm_gold("logit", d, b, "t ~ c + g")),
  model_back(glm_gold("logit-two", d, b, "t ~ a + b", conf = 0.9), conf = 0.9), model_back(glm_gold("rate", d, p, "t ~ a + g"))))
one <- function(...) glm_gold(..., site = "g")
gold("wide.sites", list(one("line", d, y, "c ~ a + b"), one("logit", d, b, "t ~ c"), one("rate", d, p, "t ~ a")))
