# Makes inst/extdata/first-study.json: the study of the vignette, asked in a sandbox. From this folder:
#   MAILLE_PROGRAM=../../build/release/bin/maille Rscript record.R
# The package must be installed (R CMD INSTALL .).
library(maille)
lines <- readLines("vignettes/first-study.Rmd")
begin <- grep("^```\\{r study\\}", lines)
end <- begin + grep("^```$", lines[-seq_len(begin)])[1]
eval(parse(text = lines[(begin + 1):(end - 1)]))
net <- maille_sandbox(survival::rotterdam, "inst/extdata/dictionary.yaml")
invisible(maille_run(paper, net, json = "inst/extdata/first-study.json"))
close(net)
