test_that("every text is quoted, whatever is in it", {
  expect_equal(yaml_text("a \"b\" \\ c: #d"), "\"a \\\"b\\\" \\\\ c: #d\"")
  expect_equal(yaml_text("l1\nl2\tx\001"), "\"l1\\nl2\\tx\\x01\"")
  expect_equal(yaml_text("\u00dcber \u2028"), "\"\u00dcber \\u2028\"")
  bad <- "\xff"
  Encoding(bad) <- "UTF-8"
  expect_error(yaml_text(bad), "UTF-8")
  expect_equal(yaml_value(c(0.1, 1 / 3, 2 / 3)), "[0.1, 0.3333333333333333, 0.6666666666666666]")
  for (v in c(1e9, 1e-300, pi, 2^53 + 2, -0.1)) expect_identical(as.numeric(yaml_value(v)), v)
  expect_equal(yaml_value(I(TRUE)), "[true]")
  expect_error(yaml_value(NA_real_), "NA")
})

test_that("a study is the file that is signed", {
  s <- plain(cohort = ~ age >= 18 && grade == "3", sites = c("a", "b")) |>
    define(g = ~ cut(nodes, c(-Inf, 1, 4, 10, Inf), right = FALSE)) |>
    km(Surv(dtime, death) ~ chemo) |>
    km(Surv(dtime, death) ~ 1, tau = 3652.5, weights = iptw(chemo ~ age, truncate = c(0.01, 0.99))) |>
    describe(~ age + size, by = "chemo") |>
    quantile("pgr", probs = 0.5)
  text <- format(s)
  expect_true("cohort: \"age >= 18 && grade == \\\"3\\\"\"" %in% text)
  expect_true("sites: [\"a\", \"b\"]" %in% text)
  expect_true("  g: \"cut(nodes, c(-Inf, 1, 4, 10, Inf), right = FALSE)\"" %in% text)
  expect_true("  - { id: \"km-2\", method: \"km\", formula: \"Surv(dtime, death) ~ 1\", tau: 3652.5, weights: { iptw: \"chemo ~ age\", truncate: [0.01, 0.99] } }" %in% text)
  expect_true("  - { id: \"quantile\", method: \"quantile\", variable: \"pgr\", probs: [0.5] }" %in% text)
  expect_error(km(s, Surv(dtime, death) ~ 1, id = "km"), "once")
  expect_error(km(1, Surv(dtime, death) ~ 1), "study")
  expect_error(define(s, ~ age), "name")
  path <- write_study(s, tempfile(fileext = ".yaml"))
  expect_equal(readLines(path, encoding = "UTF-8"), text)
})

test_that("long formulas stay whole", {
  f <- as.formula(paste("Surv(dtime, death) ~", paste0("a_rather_long_name_", 1:40, collapse = " + ")))
  expect_equal(length(strsplit(text_of(f), " + ", fixed = TRUE)[[1]]), 40)
  expect_false(grepl("\n", text_of(f)))
})

test_that("the program takes what the verbs write, and says where one is wrong", {
  skip_without_program()
  s <- plain(title = "Quotes \" and \\ and \u00e9: #") |>
    define(f = ~ cut(recur * 1 + (death && !recur) * 2, c(-Inf, 1, 2, Inf), right = FALSE)) |>
    count_by("chemo") |> describe(~ age + size, by = "chemo") |> quantile("pgr") |>
    histogram("age", width = 10) |> crosstab(~ grade + size) |> ttest(age ~ chemo) |> anova(nodes ~ size, var_equal = FALSE) |>
    correlation(~ age + nodes) |> fit_glm(death ~ age, family = "binomial", robust = TRUE) |>
    gformula(death ~ chemo + age, "chemo", family = "binomial") |>
    emulation(Surv(dtime, death) ~ age, "recur", "rtime", grace = c(365.25, 730.5), times = 1826.25, tau = 1826.25) |>
    km(Surv(dtime, death) ~ chemo, conf_type = "log-log", conf_level = 0.9) |> logrank(Surv(dtime, death) ~ chemo, trend = TRUE, landmark = 365) |>
    cox(Surv(dtime, death) ~ age, zph = "km", baseline = TRUE) |> cox(Surv(dtime, death) ~ age + strata(site)) |> cuminc(Surv(rtime, f) ~ chemo) |>
    fine_gray(Surv(rtime, f) ~ age, cause = "[1,2)") |> smd("chemo", ~ age, weights = iptw(chemo ~ age + size, stabilised = TRUE)) |>
    meta(list(method = "cox", formula = Surv(dtime, death) ~ age), term = "age") |>
    cox(Surv(rtime, recur) ~ age, id = "relapse") |> negative_controls("cox", "relapse", "age")
  answer <- maille_check(s, maille_example("dictionary.yaml"))
  expect_true(answer$valid, info = paste(answer$findings$sentence, collapse = "\n"))
  expect_equal(answer$analyses$id, vapply(s$analyses, function(a) a$id, ""))
  expect_output(print(answer), "The study is right")

  wrong <- maille_check(km(plain(title = "t"), Surv(dtime, deaht) ~ 1), maille_example("dictionary.yaml"))
  expect_false(wrong$valid)
  expect_match(wrong$findings$hint[1], "death")
  expect_true(wrong$findings$line[1] > 0 && wrong$findings$end[1] > wrong$findings$column[1])
  expect_error(maille_check("nowhere.yaml"), "nowhere.yaml")
})

test_that("every method of the program has a verb that takes its keys", {
  skip_without_program()
  schema <- jsonlite::fromJSON(run_quietly(c("schema", "methods")), simplifyVector = FALSE)$`$defs`
  methods <- Filter(function(d) !is.null(d$properties$method$const), schema[!startsWith(names(schema), "model.")])
  verbs <- list(count = count_by, glm = fit_glm, finegray = fine_gray, quantile = quantile.maille_study, anova = anova.maille_study)
  for (name in names(methods)) {
    verb <- if (is.null(verbs[[name]])) get0(name, asNamespace("maille"), mode = "function") else verbs[[name]]
    if (is.null(verb)) next # asked by ask(); no method needs a verb
    missing <- setdiff(names(methods[[name]]$properties), c("method", "conf_level", names(formals(verb))))
    expect_identical(missing, character(), info = name)
  }
  expect_true(all(c("km", "cox", "count", "glm", "smd", "meta") %in% names(methods)))
})
