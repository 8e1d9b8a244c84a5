# A study given as an object or as a file: the path of a file.
study_file <- function(study) {
  if (inherits(study, "maille_study")) {
    folder <- tempfile("maille-study-")
    dir.create(folder)
    return(write_study(study, file.path(folder, paste0(study$head$study, ".yaml"))))
  }
  if (!is.character(study) || length(study) != 1 || !file.exists(study)) {
    stop("expected a study or the path of a study file, found ", if (is.character(study)) study[1] else class(study)[1],
         call. = FALSE)
  }
  normalizePath(study)
}

option_of <- function(name, value) if (is.null(value)) character() else c(paste0("--", name), path_or(value))
path_or <- function(value) if (is.character(value)) path.expand(value) else as.character(value)

# --network, --key and --credential of a network or of a sandbox.
access_of <- function(network, key, credential) {
  if (inherits(network, "maille_sandbox")) {
    return(c("--network", file.path(network$dir, "network.yaml"), "--key", file.path(network$dir, "researcher.key"),
             "--credential", file.path(network$dir, "credential")))
  }
  if (is.null(key)) stop("expected your key file as `key`, found none", call. = FALSE)
  c(option_of("network", network), option_of("key", key), option_of("credential", credential))
}

#' Is a study right, and what would every site be asked to add up?
#'
#' Parses and types a study with the program's own parser. Nothing is sent.
#'
#' @param study what [study()] made, or the path of a study file.
#' @param dictionary path of the network's data dictionary; looked for beside the study file where absent.
#' @return An object of class `maille_check`: `valid`, `findings` (a data frame: where, what was expected and found,
#'   a hint) and `analyses` (a data frame: the cohort and the sums of the first round, in words).
#' @examplesIf maille_found()
#' study("s", "rotterdam@1", "research-public-interest", "MR-004", "2027-12-31") |>
#'   km(Surv(dtime, deaht) ~ 1) |>
#'   maille_check(maille_example("dictionary.yaml"))
#' @export
maille_check <- function(study, dictionary = NULL) {
  out <- processx::run(maille_program(), c("check", "--json", option_of("dictionary", dictionary), study_file(study)),
                       error_on_status = FALSE)
  if (!nzchar(out$stdout)) fail_with(out$stderr, out$status)
  answer <- jsonlite::fromJSON(out$stdout, simplifyVector = FALSE)
  structure(list(valid = answer$valid, findings = records(answer$findings), analyses = records(answer$analyses),
                 bytes = answer$bytes), class = "maille_check")
}

#' @export
print.maille_check <- function(x, ...) {
  for (sentence in x$findings$sentence) cat(sentence, "\n", sep = "")
  for (i in seq_len(nrow(x$analyses))) {
    a <- x$analyses[i, ]
    cat(a$id, " (", a$method, ") of ", a$cohort, ":\n", if (!is.na(a$tallies)) a$tallies, sep = "")
  }
  cat(if (x$valid) "The study is right.\n" else "The study is not right.\n")
  invisible(x)
}

#' Ask a study
#'
#' Asks the sites, takes part in the rounds, and reads the result. An interrupt (Ctrl-C, Esc) leaves the query as it is:
#' `maille_resume()` goes on.
#'
#' @param study what [study()] made, or the path of a study file.
#' @param network path of the network's signed directory, or what [maille_sandbox()] made.
#' @param key,credential your key file, and the file that opens it without a passphrase (`NULL`: the environment
#'   variable `MAILLE_PASSPHRASE`).
#' @param dictionary path of the data dictionary; looked for beside the study and the network where absent.
#' @param timeout give up when nothing moves for so many seconds.
#' @param json,csv,report also write the result file, tables as CSV (a folder), a page: paths.
#' @param progress say on the terminal where the query stands.
#' @return What [maille_read()] gives. Analyses that were refused or failed are there too, and warned of.
#' @seealso [maille_check()] before, [maille_read()] for what comes back.
#' @examplesIf maille_found() && interactive()
#' net <- maille_sandbox(survival::rotterdam, maille_example("dictionary.yaml"))
#' study("s", "rotterdam@1", "research-public-interest", "MR-004", "2027-12-31") |>
#'   km(Surv(dtime, death) ~ chemo) |>
#'   maille_run(net)
#' close(net)
#' @export
maille_run <- function(study, network = Sys.getenv("MAILLE_NETWORK", "network.yaml"), key = NULL, credential = NULL,
                       dictionary = NULL, timeout = NULL, json = NULL, csv = NULL, report = NULL,
                       progress = interactive()) {
  take_part(c("run", access_of(network, key, credential), option_of("dictionary", dictionary)), study_file(study),
            timeout, json, csv, report, progress)
}

#' @rdname maille_run
#' @param id the query, or how its id begins.
#' @export
maille_resume <- function(id, network = Sys.getenv("MAILLE_NETWORK", "network.yaml"), key = NULL, credential = NULL,
                          timeout = NULL, json = NULL, csv = NULL, report = NULL, progress = interactive()) {
  take_part(c("resume", access_of(network, key, credential)), id, timeout, json, csv, report, progress)
}

take_part <- function(arguments, last, timeout, json, csv, report, progress) {
  result <- if (is.null(json)) tempfile("maille-result-", fileext = ".json") else path.expand(json)
  arguments <- c(arguments, "--progress", "json", "--quiet", "--json", result, option_of("csv", csv), option_of("report", report),
                 if (!is.null(timeout)) c("--timeout", paste0(round(timeout * 1000), "ms")), last)
  process <- processx::process$new(maille_program(), arguments, stdout = NULL, stderr = "|")
  query <- NULL
  finished <- FALSE
  on.exit(if (!finished) {
    process$interrupt() # it keeps its journal and leaves
    process$wait(2000)
    process$kill()
    if (!is.null(query)) message("the query is kept; go on with: maille_resume(\"", substr(query, 1, 8), "\", ...)")
  })
  problem <- NULL
  other <- character()
  while (TRUE) {
    process$poll_io(500)
    for (line in process$read_error_lines()) {
      event <- tryCatch(jsonlite::fromJSON(line, simplifyVector = FALSE), error = function(e) NULL)
      if (is.null(event$event)) other <- c(other, line)
      else if (event$event == "asked") query <- event$query
      else if (event$event == "error") problem <- event
      else if (progress) say_event(event)
    }
    if (!process$is_alive() && !process$is_incomplete_error()) break
  }
  finished <- TRUE
  if (progress) cat("\r", strrep(" ", 78), "\r", sep = "", file = stderr())
  status <- process$get_exit_status()
  if (!is.null(problem)) fail_with(problem$sentence, problem$exit, list(query = problem$query, code = problem$code))
  if (!status %in% c(0, 1) || !file.exists(result)) fail_with(paste(other, collapse = "\n"), status)
  out <- maille_read(result)
  for (a in out) if (a$status != "ok") warning(a$id, ": ", a$status, ": ", a$reason, call. = FALSE)
  out
}

say_event <- function(event) {
  waiting <- vapply(event$`for`, function(x) x$party, "")
  text <- switch(event$event,
    waiting = paste(event$ready, "of", event$sites, "sites ready"),
    heads = paste(event$sites, "sites count heads"),
    round = sprintf("%d sites, round %d, %.1f MB of masked sums", event$sites, event$round, event$bytes / 1e6),
    note = return(message("\r", event$text)),
    return(invisible()))
  if (length(waiting) > 0) text <- paste0(text, ", waiting for ", paste(waiting, collapse = ", "))
  cat("\r", formatC(substr(text, 1, 78), width = -78), sep = "", file = stderr())
}

#' The report and the figures that the program draws
#'
#' @param result what [maille_run()] or [maille_read()] gave, or the path of a result file.
#' @param out path of the page to write (HTML that needs nothing else); `NULL`: none.
#' @param figures a folder: every figure as a file of its own; `NULL`: none.
#' @param format of the figures: `"svg"`, `"pdf"` or `"png"`.
#' @return Invisibly, the paths that were written.
#' @examplesIf maille_found()
#' maille_report(maille_example("first-study.json"), figures = file.path(tempdir(), "figures"))
#' @export
maille_report <- function(result, out = NULL, figures = NULL, format = c("svg", "pdf", "png")) {
  file <- if (inherits(result, "maille_result")) attr(result, "file") else path.expand(result)
  if (!file.exists(file)) stop("expected the result file at ", file, ", found nothing")
  if (is.null(out) && is.null(figures)) stop("expected a file for the page (out) or a folder for the figures (figures), found neither")
  run_quietly(c("report", option_of("out", out), option_of("figures", figures), "--format", match.arg(format), file))
  invisible(c(out, if (!is.null(figures)) list.files(figures, full.names = TRUE)))
}
