#' A whole network on this machine
#'
#' Deals the rows of a table out to sites and starts them with a coordinator, with real keys and real sockets: for a
#' first look, for teaching, and for comparing with R on the pooled data. It ends with `close()`, when it is no longer
#' used, or with R.
#'
#' @param data a data frame with the columns of the dictionary, or the path of a CSV file; `NULL`: made-up patients.
#' @param dictionary path of a data dictionary.
#' @param sites how many sites; from 3.
#' @param split_by name of a column: one site for each of its values, instead.
#' @param seed of the random split.
#' @param policy path of every site's policy file; the open one where absent.
#' @param synthetic without data: how many patients to make up from the dictionary alone, so that a study is tried before any
#'   hospital is asked. Every variable is drawn by itself, and every output says that they are no patients.
#' @param dir a new folder for it.
#' @return An object of class `maille_sandbox`, for the argument `network` of [maille_run()].
#' @examplesIf maille_found() && requireNamespace("survival", quietly = TRUE) && interactive()
#' net <- maille_sandbox(survival::rotterdam, maille_example("dictionary.yaml"), sites = 4)
#' net
#' close(net)
#' trial <- maille_sandbox(dictionary = maille_example("dictionary.yaml"), synthetic = 3000)
#' close(trial)
#' @export
maille_sandbox <- function(data = NULL, dictionary, sites = 6, split_by = NULL, seed = 1, policy = NULL,
                           synthetic = NULL, dir = tempfile("maille-sandbox-")) {
  if (is.null(data) == is.null(synthetic)) stop("expected either data or how many synthetic patients, found ",
                                                if (is.null(data)) "neither" else "both", call. = FALSE)
  if (is.data.frame(data)) {
    file <- tempfile("maille-data-", fileext = ".csv")
    on.exit(unlink(file))
    utils::write.csv(data, file, row.names = FALSE, na = "", fileEncoding = "UTF-8")
  } else if (!is.null(data)) {
    file <- path.expand(data)
  }
  dir <- path.expand(dir)
  whole <- function(n) format(n, scientific = FALSE, trim = TRUE)
  out <- run_quietly(c("sandbox", "up", "--dir", dir,
                       if (is.null(synthetic)) c("--data", file) else c("--synthetic", whole(synthetic)),
                       "--dictionary", path.expand(dictionary),
                       if (is.null(split_by)) c("--sites", sites) else c("--split-by", split_by),
                       "--seed", whole(seed), option_of("policy", policy)))
  sandbox <- new.env(parent = emptyenv())
  sandbox$dir <- normalizePath(dir)
  sandbox$temporary <- startsWith(sandbox$dir, normalizePath(tempdir()))
  sandbox$open <- TRUE
  sandbox$words <- utils::head(strsplit(out, "\n", fixed = TRUE)[[1]], -1)
  reg.finalizer(sandbox, sandbox_down, onexit = TRUE)
  structure(sandbox, class = "maille_sandbox")
}

sandbox_down <- function(sandbox) {
  if (sandbox$open) {
    sandbox$open <- FALSE
    try(run_quietly(c("sandbox", "down", "--dir", sandbox$dir)), silent = TRUE)
    if (sandbox$temporary) unlink(sandbox$dir, recursive = TRUE)
  }
  invisible(NULL)
}

#' @rdname maille_sandbox
#' @param con,x a sandbox.
#' @param ... nothing.
#' @export
close.maille_sandbox <- function(con, ...) sandbox_down(con)

#' @rdname maille_sandbox
#' @export
print.maille_sandbox <- function(x, ...) {
  if (x$open) cat(x$words, sep = "\n") else cat("a sandbox that is closed\n")
  invisible(x)
}
