# What the scripts of docs/COMPARED.md share: the sandbox's sites, R on the pooled data, one line of the table.
library(survival)
folder <- commandArgs(TRUE)[1]
files <- Sys.glob(file.path(folder, "sites", "*", "data.csv"))
sites <- lapply(files, function(f) {
  d <- read.csv(f)[c("age", "nodes", "hormon", "chemo", "dtime", "death")]
  d$study <- 1
  d
})
names(sites) <- basename(dirname(files))
pooled <- do.call(rbind, Map(function(d, s) cbind(d, site = s), sites, names(sites)))
terms <- c("age", "nodes", "hormon", "chemo")
rows <- function(model, names = terms) summary(model)$coefficients[names, 1:2 + if (inherits(model, "coxph")) c(0, 1) else 0]
truth <- list(
  logit = rows(glm(death ~ age + nodes + hormon + chemo, binomial, pooled, control = list(epsilon = 1e-14, maxit = 50))),
  cox = rows(coxph(Surv(dtime, death) ~ age + nodes + hormon + chemo, pooled, ties = "breslow", eps = 1e-12, toler.chol = 1e-13)),
  sites = rows(coxph(Surv(dtime, death) ~ age + nodes + hormon + chemo + strata(site), pooled, ties = "breslow", eps = 1e-12, toler.chol = 1e-13)))

# say SYSTEM, ANALYSIS, coefficients in the order of terms, seconds
say <- function(system, analysis, estimate, seconds) {
  difference <- abs(estimate - truth[[analysis]][, 1])
  cat(sprintf("%-26s %-6s %9.2g %9.2g %8.2f\n", system, analysis, max(difference / abs(truth[[analysis]][, 1])),
              max(difference / truth[[analysis]][, 2]), seconds))
}
