test_that("a result is read whole", {
  r <- recorded()
  expect_s3_class(r, "maille_result")
  expect_named(r, c("patients", "table1", "os", "os-test", "cox", "causes"))
  expect_equal(as.data.frame(r)$n, rep(2966, 6))
  expect_equal(sum(as.data.frame(r$patients)$n), 2966)
  expect_equal(attr(r, "about")$study, "first-study")
  expect_output(print(r), "6 sites")
  for (a in r) expect_output(print(a), a$method)
  expect_s3_class(r["cox"], "maille_result")
  bad <- tempfile()
  writeLines("{}", bad)
  expect_error(maille_read(bad), "other JSON")
  writeLines("no", bad)
  expect_error(maille_read(bad), "expected a result file")
})

test_that("models have what R's models have", {
  m <- recorded()$cox
  table <- as.data.frame(m)
  expect_equal(names(coef(m)), table$term)
  expect_equal(unname(sqrt(diag(vcov(m)))), table$std_error, tolerance = 1e-12)
  expect_equal(unname(confint(m)[, 1]), table$conf_low)
  expect_equal(unname(confint(m, level = 0.95 + 1e-13)), unname(cbind(table$conf_low, table$conf_high)), tolerance = 1e-9)
  expect_lt(confint(m, "age", level = 0.5)[2], confint(m, "age")[2])
  expect_equal(AIC(m), m$result$aic, tolerance = 1e-12)
  expect_equal(nobs(m), 1259)
  expect_equal(deparse1(formula(m)[[2]]), "Surv(dtime, death)")
  hr <- tidy(m, conf.int = TRUE, exponentiate = TRUE)
  expect_equal(hr$estimate, exp(unname(coef(m))))
  expect_equal(hr$conf.high, exp(unname(confint(m)[, 2])))
  expect_equal(nrow(as.data.frame(m, part = "zph")), length(coef(m)))
  expect_error(as.data.frame(m, part = "nothing"), "expected one of")
})

test_that("collinear terms are NA in coef() and not in vcov()", {
  json <- jsonlite::fromJSON(maille_example("first-study.json"), simplifyVector = FALSE)
  at <- which(vapply(json$analyses, function(a) a$id == "cox", NA))
  m <- json$analyses[[at]]
  for (k in c("estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high")) m$result$terms[[2]][k] <- list(NULL)
  n <- length(m$result$terms)
  m$result$vcov[[2]] <- rep(list(NULL), n)
  for (i in seq_len(n)) m$result$vcov[[i]][2] <- list(NULL)
  json$analyses[[at]] <- m
  path <- tempfile()
  jsonlite::write_json(json, path, auto_unbox = TRUE, digits = NA, null = "null")
  m <- maille_read(path)$cox
  expect_true(is.na(coef(m)[["size20-50"]]))
  expect_equal(dim(vcov(m)), c(n - 1, n - 1))
  expect_false(anyNA(vcov(m)))
  expect_output(print(m), "size>50")
})

test_that("broom finds the methods", {
  skip_if_not_installed("broom")
  r <- recorded()
  expect_equal(broom::tidy(r$cox), tidy(r$cox))
  expect_equal(broom::glance(r$cox)$nevent, 1259)
  expect_equal(broom::tidy(r$os), tidy(r$os))
})

test_that("a refused analysis says so, and the others stand", {
  json <- jsonlite::fromJSON(maille_example("first-study.json"), simplifyVector = FALSE)
  json$analyses[[1]] <- list(id = "patients", method = "count", status = "refused", rule = "min_cell", reason = "too few")
  path <- tempfile()
  jsonlite::write_json(json, path, auto_unbox = TRUE, digits = NA, null = "null")
  r <- maille_read(path)
  expect_output(print(r$patients), "refused: too few")
  expect_error(as.data.frame(r$patients), "min_cell", class = "maille_refused")
  expect_equal(as.data.frame(r)$status, c("refused", rep("ok", 5)))
  expect_output(print(r), "refused")
})

test_that("the table of a paper has labels, references and every term once", {
  table <- table_regression(recorded()$cox)
  expect_setequal(stats::na.omit(table$term), names(coef(recorded()$cox)))
  expect_equal(table$label[table$reference_row], c("up to 20 mm", "moderate (2)"))
  expect_true("Chemotherapy" %in% table$label)
  expect_equal(attr(table, "ratio"), "HR")
  expect_true(all(c("variable", "label", "row_type", "estimate", "conf.low", "conf.high", "p.value") %in% names(table)))
  expect_output(print(table), "1 \\(reference\\)")
})

test_that("figures are drawn", {
  skip_if_not_installed("ggplot2")
  r <- recorded()
  file <- tempfile(fileext = ".pdf")
  grDevices::pdf(file)
  on.exit(grDevices::dev.off())
  for (a in r[c("os", "cox", "causes")]) expect_s3_class(print(ggplot2::autoplot(a)), "ggplot")
  drawn <- ggplot2::ggplot_build(ggplot2::autoplot(r$cox))$data[[2]]
  expect_equal(sort(10^drawn$xmin), sort(unname(exp(confint(r$cox)[, 1]))))
  steps <- ggplot2::ggplot_build(ggplot2::autoplot(r$os))$data[[2]]
  expect_equal(nrow(steps), nrow(as.data.frame(r$os)) + 2) # and a start each
})

test_that("table 1 has labels, shares, groups, differences and tests", {
  x <- recorded()$table1
  table <- table_one(x)
  expect_equal(table$label[1], "Age at surgery, median (Q1\u2013Q3)")
  rows <- as.data.frame(x, part = "variables")
  age <- rows[rows$variable == "age" & rows$level %in% "TRUE", ]
  expect_equal(as.character(table$stat_2[1]), sprintf("%g (%g\u2013%g)", age$median, age$q1, age$q3))
  small <- rows[rows$variable == "size" & rows$level %in% "FALSE" & rows$value %in% ">50", ]
  expect_equal(as.character(table$stat_1[table$label == "over 50 mm"]), sprintf("%d (%.1f %%)", small$n, 100 * small$share))
  expect_equal(attr(table$stat_2, "label"), "Chemotherapy: Yes, n = 579")
  expect_equal(attr(table$stat_3, "label"), "All patients, n = 2966")
  compared <- as.data.frame(x, part = "comparisons")
  expect_equal(table$smd[1], compared$smd[compared$variable == "age"])
  expect_equal(table$p.value[table$variable == "size" & table$row_type == "label"],
               compared$p_value[compared$variable == "size" & is.na(compared$value)])
  expect_output(print(table), "Chemotherapy +No, n = 2387 +Yes, n = 579.*All patients, n = 2966 +SMD +p")
  expect_error(table_one(recorded()$cox), "table1")
})

test_that("levels have the dictionary's labels, and causes their own", {
  r <- recorded()
  expect_true(all(c("20 to 50 mm", "over 50 mm", "poor (3)") %in% table_regression(r$cox)$label))
  skip_if_not_installed("ggplot2")
  expect_equal(levels(ggplot2::autoplot(r$os)$data$stratum), c("Chemotherapy: No", "Chemotherapy: Yes"))
  expect_equal(levels(ggplot2::autoplot(r$causes)$data$cause), c("relapse", "death"))
  at_risk <- as.data.frame(r$causes, part = "risk_sets")
  expect_equal(at_risk$n_risk[!duplicated(at_risk$stratum)], c(2387, 579))
})

test_that("made-up patients are said to be so", {
  json <- jsonlite::fromJSON(maille_example("first-study.json"), simplifyVector = FALSE)
  json$synthetic <- TRUE
  file <- tempfile(fileext = ".json")
  jsonlite::write_json(json, file, auto_unbox = TRUE, null = "null", digits = NA)
  r <- maille_read(file)
  expect_output(print(r), "Synthetic data")
  expect_output(print(r$cox), "Synthetic data")
  expect_output(print(table_one(r$table1)), "Synthetic data")
  expect_false(any(grepl("Synthetic", capture.output(print(recorded())))))
  skip_if_not_installed("ggplot2")
  expect_match(ggplot2::autoplot(r$cox)$labels$caption, "Synthetic data")
})

test_that("no verb is hidden by what is attached beside", {
  ours <- setdiff(getNamespaceExports("maille"), c("tidy", "glance")) # those of broom find our methods
  for (package in c("survival", "ggplot2", "survminer", "broom", "dplyr", "stats", "base", "utils", "graphics")) {
    if (requireNamespace(package, quietly = TRUE)) {
      expect_identical(intersect(ours, getNamespaceExports(package)), character(), info = package)
    }
  }
})
