# pda over a folder in place of its cloud; every site's part is run in turn. Usage: pda.R SANDBOX
source("bench/compared/common.R")
suppressMessages(library(pda))
run <- function(system, analysis, model, family, outcome, heterogeneity, steps) {
  cloud <- tempfile("cloud-")
  dir.create(cloud)
  began <- proc.time()[["elapsed"]]
  control <- list(project_name = "compared", step = "initialize", sites = names(sites), heterogeneity = heterogeneity, model = model, family = family,
                  outcome = outcome, variables = terms, optim_maxit = 100, lead_site = names(sites)[1], init_method = "meta",
                  optim_method = "BFGS", upload_date = as.character(Sys.time()))
  part <- function(site, ...) pda(site_id = site, dir = cloud, upload_without_confirm = TRUE, silent_message = TRUE, digits = 12, ...)
  part(names(sites)[1], control = control)
  for (step in seq_len(steps)) # the lead last: it moves the study on
    for (site in rev(names(sites)))
      part(site, ipdata = data.table::as.data.table(sites[[site]]))
  part(names(sites)[1], ipdata = data.table::as.data.table(sites[[1]]))
  seconds <- proc.time()[["elapsed"]] - began
  files <- list.files(cloud, full.names = TRUE)
  found <- jsonlite::fromJSON(file.path(cloud, paste0(names(sites)[1], "_estimate.json")))
  estimate <- if (length(found$btilde) > length(terms)) found$btilde[-1] else found$btilde
  say(system, analysis, estimate, seconds)
  own <- jsonlite::fromJSON(file.path(cloud, paste0(names(sites)[2], "_initialize.json")))
  cat(sprintf("  in the cloud: %d files, %.0f kB; %s alone shows: %s\n", length(files), sum(file.size(files)) / 1000, names(sites)[2],
              paste(sprintf("%s (%d)", names(own), lengths(own)), collapse = ", ")))
}
run("pda ODAL", "logit", "ODAL", "binomial", "death", FALSE, 2)
run("pda ODACH", "sites", "ODAC", "cox", "Surv(dtime, death)", TRUE, 2)
run("pda ODAC", "cox", "ODAC", "cox", "Surv(dtime, death)", FALSE, 3)
