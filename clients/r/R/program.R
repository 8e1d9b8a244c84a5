# The program: found, asked for its version, run. Nothing is downloaded.

# What this package understands of `maille --version --json`.
INTERFACE <- 1L

known <- new.env(parent = emptyenv()) # path and time of change -> version

maille_stop <- function(..., class = NULL, fields = list(), call = NULL) {
  stop(structure(class = c(class, "maille_error", "error", "condition"),
                 c(list(message = paste0(...), call = call), fields)))
}

# Where it is, and what said so.
locate <- function() {
  option <- getOption("maille.program")
  variable <- Sys.getenv("MAILLE_PROGRAM")
  if (!is.null(option)) return(list(path = path.expand(option), by = "the option maille.program"))
  if (nzchar(variable)) return(list(path = path.expand(variable), by = "the environment variable MAILLE_PROGRAM"))
  list(path = unname(Sys.which("maille")), by = "the PATH")
}

#' The program maille
#'
#' `maille_program()` is the path of the program: the option `maille.program`, else the environment variable
#' `MAILLE_PROGRAM`, else what the `PATH` has. `maille_version()` asks it for its version. `maille_found()` says
#' whether there is one that this package understands.
#'
#' @return `maille_program()`: a path; it stops where there is none. `maille_version()`: a
#'   `numeric_version`. `maille_found()`: `TRUE` or `FALSE`.
#' @examples
#' maille_found()
#' @export
maille_program <- function() {
  at <- locate()
  if (!nzchar(at$path)) {
    maille_stop("expected the program maille, found none; install it, or name it with ",
                "options(maille.program = \"/path/to/maille\") or MAILLE_PROGRAM", class = "maille_not_found")
  }
  if (!file.exists(at$path) || dir.exists(at$path) || file.access(at$path, 1) != 0) {
    maille_stop("expected the program maille at ", at$path, " (by ", at$by, "), found nothing that can be run",
                class = "maille_not_found")
  }
  path <- normalizePath(at$path)
  key <- paste(path, as.numeric(file.mtime(path)))
  if (is.null(known[[key]])) known[[key]] <- ask_version(path)
  path
}

ask_version <- function(path) {
  answer <- tryCatch({
    out <- processx::run(path, c("--version", "--json"), timeout = 10, error_on_status = FALSE)
    jsonlite::fromJSON(out$stdout)
  }, error = function(e) NULL)
  if (!is.list(answer) || !identical(answer$program, "maille")) {
    maille_stop("expected ", path, " to be maille and to say its version, found something else",
                class = "maille_not_found")
  }
  if (!isTRUE(answer$interface == INTERFACE)) {
    maille_stop("expected a maille whose interface is ", INTERFACE, ", found ", answer$interface, " (maille ",
                answer$version, " at ", path, "); install the R package of that version",
                class = "maille_not_found")
  }
  answer$version
}

#' @rdname maille_program
#' @export
maille_version <- function() {
  path <- maille_program()
  numeric_version(known[[paste(path, as.numeric(file.mtime(path)))]])
}

#' @rdname maille_program
#' @export
maille_found <- function() {
  !inherits(try(maille_program(), silent = TRUE), "try-error")
}

#' What is found where
#'
#' Says which program would be run and why, its version, the network and the packages that results go well with:
#' what to write into a question for help.
#'
#' @return Invisibly, a list of what was said.
#' @examples
#' maille_sitrep()
#' @export
maille_sitrep <- function() {
  at <- locate()
  version <- tryCatch(as.character(maille_version()), error = function(e) e)
  found <- !inherits(version, "error")
  folder <- if (found) dirname(maille_program()) else ""
  beside <- function(name) {
    path <- file.path(folder, name)
    if (found && file.exists(path)) path else unname(Sys.which(name))
  }
  packages <- c("survival", "ggplot2", "survminer", "broom", "testthat")
  versions <- vapply(packages, function(p) {
    if (requireNamespace(p, quietly = TRUE)) as.character(packageVersion(p)) else "-"
  }, "")
  out <- list(program = at$path, by = at$by, version = if (found) version else NA_character_,
              problem = if (found) NULL else conditionMessage(version),
              worker = beside("maille-worker"), coordinator = beside("maille-coordinator"),
              network = Sys.getenv("MAILLE_NETWORK", NA), packages = versions)
  say <- function(label, text) cat(sprintf("%-14s%s\n", label, text))
  say("program", if (nzchar(at$path)) paste0(at$path, " (by ", at$by, ")") else "not found")
  say("version", if (found) paste0(version, ", interface ", INTERFACE) else paste("not usable:", out$problem))
  say("sandbox", if (nzchar(out$worker) && nzchar(out$coordinator)) "possible: maille-worker and maille-coordinator are there"
                 else "not possible: it needs maille-worker and maille-coordinator beside maille")
  say("network", if (is.na(out$network)) "network.yaml here, or the argument (MAILLE_NETWORK is not set)" else out$network)
  say("R package", paste0("maille ", packageVersion("maille"), ", ", R.version.string))
  for (p in packages) say(paste0("  ", p), versions[[p]])
  invisible(out)
}

# Runs to its end; standard output, or an error that says what the program said.
run_quietly <- function(arguments, timeout = Inf) {
  out <- processx::run(maille_program(), arguments, error_on_status = FALSE, timeout = timeout)
  if (out$status != 0) fail_with(out$stderr, out$status)
  out$stdout
}

fail_with <- function(words, status, fields = list()) {
  words <- sub("^maille[a-z ]*: ", "", trimws(words))
  maille_stop(if (nzchar(words)) words else paste0("maille ended with status ", status), class = switch(as.character(status),
    `2` = "maille_invalid", `3` = "maille_unreachable", `130` = "maille_interrupted", NULL),
    fields = c(list(status = status), fields))
}

#' Files to try the package with
#'
#' A dictionary of the Rotterdam breast cancer data (`survival::rotterdam`) and the recorded result of a study of them
#' over six sites of a sandbox, the one of `vignette("first-study")`, so that examples run where there is no program.
#'
#' @param file name of a file; `NULL`: all names.
#' @return A path, or names.
#' @examples
#' maille_example()
#' maille_read(maille_example("first-study.json"))
#' @export
maille_example <- function(file = NULL) {
  if (is.null(file)) return(dir(system.file("extdata", package = "maille")))
  path <- system.file("extdata", file, package = "maille")
  if (!nzchar(path)) stop("expected one of ", paste(maille_example(), collapse = ", "), "; found ", file)
  path
}
