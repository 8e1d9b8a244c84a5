# curves.R FOLDER: R's survdiff and survfit on the same patients and the same grid of months, once: the log-rank statistic and the curves'
# standard errors at their last time must be those of maille to 1e-9. Prints R's seconds.
suppressMessages({ library(survival); library(data.table); library(jsonlite) })
setDTthreads(2)
folder <- commandArgs(TRUE)[1]
d <- fread(file.path(folder, "curve.csv"), select = c("arm", "days", "death"))
d[, time := ceiling(days / 30.4375) * 30.4375]
took_test <- system.time(test <- survdiff(Surv(time, death) ~ arm, d))[["elapsed"]]
took_curve <- system.time(fit <- survfit(Surv(time, death) ~ arm, d, conf.type = "none"))[["elapsed"]]
got <- fromJSON(file.path(folder, "curve.json"), simplifyDataFrame = FALSE)$analyses
cat(sprintf("# R: survdiff %.1f s, survfit %.1f s\n", took_test, took_curve))
worst <- abs(got[[2]]$result$statistic / test$chisq - 1)
s <- summary(fit)
for (curve in got[[1]]$result$curves) {
  rows <- s$strata == curve$stratum
  at <- match(round(s$time[rows], 6), round(unlist(curve$time), 6))
  worst <- max(worst, abs(unlist(curve$estimate)[at] / s$surv[rows] - 1), abs(unlist(curve$std_error)[at] / s$std.err[rows] - 1))
}
cat("# curves and log-rank: largest relative difference from R", format(worst), "\n")
if (!(worst <= 1e-9)) stop("the curves differ from R")
