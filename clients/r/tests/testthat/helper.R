skip_without_program <- function() skip_if_not(maille_found(), "the program maille")

recorded <- function() maille_read(maille_example("first-study.json"))

plain <- function(id = "s", ...) {
  study(id, "rotterdam@1", purpose = "research-public-interest", legal_basis = "MR-004", expires = "2099-12-31", ...)
}

# One sandbox for all tests of a run, in a folder with a space.
shared <- new.env()
sandbox <- function() {
  skip_without_program()
  skip_if_not_installed("survival")
  if (is.null(shared$net)) {
    shared$net <- maille_sandbox(survival::rotterdam, maille_example("dictionary.yaml"), dir = file.path(tempdir(), "a sand box"))
    withr_defer_teardown(close(shared$net))
  }
  shared$net
}
withr_defer_teardown <- function(expr) {
  reg.finalizer(shared, eval(substitute(function(e) expr)), onexit = TRUE)
}

# The patients of the study on its grid, pooled: what no party of a network has.
pooled <- function() {
  data <- survival::rotterdam
  data <- data[data$age >= 18 & data$year >= 1980, ]
  for (time in c("dtime", "rtime")) data[[time]] <- ceiling(data[[time]] / 30.4375) * 30.4375
  data$chemo <- data$chemo == 1
  data$hormon <- data$hormon == 1
  data$grade <- factor(data$grade)
  data
}

# A program of another name, version or none: a shell script in a folder with a space.
fake_program <- function(prints) {
  folder <- file.path(tempfile("fake "))
  dir.create(folder)
  path <- file.path(folder, "maille")
  writeLines(c("#!/bin/sh", paste0("echo '", prints, "'")), path)
  Sys.chmod(path, "755")
  path
}
