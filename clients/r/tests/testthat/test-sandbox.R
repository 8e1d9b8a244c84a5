# Real programs, real sockets: skipped where maille is not installed.

test_that("the ten lines of the vignette make the three figures of a paper", {
  skip_if_not_installed("survminer")
  net <- sandbox()
  # installed, or in the source beside this file
  vignette <- Filter(file.exists, c(system.file("doc", "first-study.Rmd", package = "maille"),
                                    test_path("..", "..", "vignettes", "first-study.Rmd")))
  skip_if(length(vignette) == 0, "the vignette")
  lines <- readLines(vignette[1])
  chunk <- function(label) {
    begin <- grep(paste0("^```\\{r ", label, "[,}]"), lines)
    parse(text = lines[seq(begin + 1, begin + grep("^```$", lines[-seq_len(begin)])[1] - 1)])
  }
  here <- new.env(parent = globalenv())
  here$net <- net
  grDevices::pdf(tempfile(fileext = ".pdf"))
  on.exit(grDevices::dev.off())
  suppressWarnings(suppressMessages(for (label in c("study", "run-shown", "paper")) {
    for (line in as.list(chunk(label))) print(eval(line, here))
  }))
  expect_s3_class(here$figure1, "ggsurvplot")
  expect_s3_class(here$figure2, "ggplot")
  expect_s3_class(here$figure3, "ggplot")

  data <- pooled()
  model <- survival::coxph(survival::Surv(dtime, death) ~ age + size + grade + log(nodes + 1) + hormon + chemo, data)
  expect_equal(coef(here$r$cox), coef(model), tolerance = 1e-6)
  expect_equal(vcov(here$r$cox), vcov(model), tolerance = 1e-6)
  expect_equal(confint(here$r$cox), confint(model), tolerance = 1e-6)
  expect_equal(unname(summary(here$os)$table[, "median"]),
               unname(summary(survival::survfit(survival::Surv(dtime, death) ~ chemo, data))$table[, "median"]))
  recorded <- recorded()
  expect_equal(coef(here$r$cox), coef(recorded$cox), tolerance = 1e-12)
  expect_equal(format(here$paper)[-1], strsplit(attr(recorded, "about")$text, "\n")[[1]][-1])
})

test_that("what was written comes back: titles, files, warnings, errors", {
  net <- sandbox()
  title <- "Quotes \" ' and \\ and \u00e9: # - {"
  json <- file.path(tempdir(), "a result.json")
  s <- plain("odd", title = title) |> count_by() |> describe("age", id = "nobody", cohort = ~ age > 119)
  expect_warning(r <- maille_run(s, net, json = json), "nobody")
  expect_equal(attr(r, "about")$title, title)
  expect_equal(names(maille_read(json)), c("count", "nobody"))
  expect_true(r$nobody$status != "ok")

  problem <- tryCatch(maille_run(describe(plain(), "aeg"), net), error = identity)
  expect_s3_class(problem, "maille_invalid")
  expect_match(conditionMessage(problem), "age")
  expect_equal(problem$status, 2)
  expect_error(maille_run(plain() |> count_by(), "no network.yaml", key = "no.key"), class = "maille_invalid")
  expect_error(maille_run(plain() |> count_by()), "key")
  expect_output(print(net), "6 sites")
})

test_that("a trial has made-up patients, and says so", {
  skip_without_program()
  expect_error(maille_sandbox(dictionary = maille_example("dictionary.yaml")), "neither")
  trial <- maille_sandbox(dictionary = maille_example("dictionary.yaml"), sites = 3, synthetic = 400)
  on.exit(close(trial))
  r <- maille_run(plain("trial") |> table1(~ age + size, by = "chemo", statistics = "both"), trial, progress = FALSE)
  expect_true(attr(r, "about")$synthetic)
  expect_equal(r$table1$n + r$table1$n_missing, 400)
  expect_output(print(table_one(r$table1)), "^Synthetic data.*mean \\(SD\\)")
})

test_that("the program draws the report and the figures of a result", {
  skip_without_program()
  page <- file.path(tempdir(), "a page.html")
  written <- maille_report(recorded(), out = page, figures = file.path(tempdir(), "all figures"))
  expect_equal(written[1], page)
  expect_gt(length(written), 3)
  expect_true(all(file.size(written) > 1000))
  expect_error(maille_report("nowhere.json", out = page), "nowhere.json")
  expect_error(maille_report(recorded()), "found neither")
})

test_that("an interrupt leaves the query, and maille_resume() goes on with it", {
  net <- sandbox()
  run_quietly(c("sandbox", "kill", "--dir", net$dir, "site-1"))
  on.exit(run_quietly(c("sandbox", "restart", "--dir", net$dir, "site-1")))
  processx::process$new("sh", c("-c", paste("sleep 3; kill -INT", Sys.getpid())), cleanup = FALSE)
  said <- capture_messages(out <- tryCatch(maille_run(count_by(plain("left")), net), interrupt = function(e) "interrupted"))
  expect_identical(out, "interrupted")
  query <- sub(".*maille_resume\\(\"([0-9a-f]+)\".*", "\\1", grep("the query is kept", said, value = TRUE))
  expect_match(query, "^[0-9a-f]{8}$")
  run_quietly(c("sandbox", "restart", "--dir", net$dir, "site-1"))
  on.exit()
  expect_equal(maille_resume(query, net)$count$n, 2982)
})
