skip_if_not_installed("survival")

test_that("the survfit object is the one that R makes of the pooled data", {
  os <- as_survfit(recorded()$os)
  data <- pooled()
  r <- survival::survfit(survival::Surv(dtime, death) ~ chemo, data)
  for (part in c("n", "time", "n.risk", "n.event", "n.censor", "surv", "std.err", "lower", "upper", "cumhaz", "std.chaz")) {
    expect_equal(os[[part]], r[[part]], tolerance = 1e-9, info = part)
  }
  expect_equal(os$strata, r$strata)
  expect_equal(unclass(summary(os)$table), unclass(summary(r)$table), tolerance = 1e-9)
  expect_equal(quantile(os), quantile(r), tolerance = 1e-9)
  at <- summary(os, times = c(365.25, 3652.5), extend = TRUE)
  by_r <- summary(r, times = c(365.25, 3652.5), extend = TRUE)
  for (part in c("surv", "n.risk", "std.err", "lower", "upper", "strata")) expect_equal(at[[part]], by_r[[part]], tolerance = 1e-9)
  expect_output(print(os), "chemo=TRUE")
  expect_output(print(os), "survfit(formula = Surv(dtime, death) ~ chemo)", fixed = TRUE)
  expect_s3_class(os[1], "survfit")
  expect_s3_class(survival::survfit(recorded()$os), "survfit")
  grDevices::pdf(tempfile(fileext = ".pdf"))
  on.exit(grDevices::dev.off())
  plot(os, conf.int = TRUE)
  plot(os, fun = "cumhaz")
  if (requireNamespace("broom", quietly = TRUE)) {
    expect_equal(as.data.frame(broom::tidy(os)), tidy(recorded()$os), ignore_attr = TRUE)
  }
})

test_that("a curve that was hidden is left out and said", {
  x <- recorded()$os
  for (k in setdiff(names(x$result$curves[[2]]), c("stratum", "n"))) x$result$curves[[2]][k] <- list(NULL)
  expect_warning(os <- as_survfit(x), "chemo=TRUE")
  expect_equal(names(os$strata), "chemo=FALSE")
  expect_output(print(x), "chemo=TRUE")
})

test_that("survminer draws it with the numbers at risk", {
  skip_if_not_installed("survminer")
  os <- as_survfit(recorded()$os)
  plot <- survminer::ggsurvplot(os, risk.table = TRUE, break.time.by = 1826.25)
  grDevices::pdf(tempfile(fileext = ".pdf"))
  on.exit(grDevices::dev.off())
  expect_silent(suppressWarnings(print(plot)))
  times <- sort(unique(plot$table$data$time))
  at <- summary(os, times = times, extend = TRUE)
  expect_equal(plot$table$data$llabels, at$n.risk, ignore_attr = TRUE)
  # a test of patients who are not there must not give a number
  expect_error(suppressWarnings(survminer::ggsurvplot(os, pval = TRUE)))
  p <- recorded()$`os-test`$result$p_value
  expect_s3_class(survminer::ggsurvplot(os, pval = p), "ggsurvplot")
})

test_that("a weighted curve behind thresholds has no sums of weights", {
  skip_if_not_installed("survival")
  x <- recorded()$os
  for (i in seq_along(x$result$curves)) {
    for (heads in c("n_risk", "n_event_at", "n_censor")) {
      x$result$curves[[i]][[heads]] <- rep(list(NULL), length(x$result$curves[[i]]$time))
    }
  }
  os <- as_survfit(x)
  expect_output(print(os), "chemo=TRUE")
  expect_output(print(os), "median")
  expect_true(all(is.na(summary(os, times = 1826.25)$n.risk)))
  expect_false(anyNA(summary(os, times = 1826.25)$surv))
})
