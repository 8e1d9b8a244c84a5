# The result file of a maille study against R on the pooled data. Usage: maille.R SANDBOX RESULT.json
source("bench/compared/common.R")
result <- jsonlite::fromJSON(commandArgs(TRUE)[2], simplifyVector = FALSE)
for (a in result$analyses) {
  estimate <- sapply(a$result$terms, function(t) t$estimate)
  names(estimate) <- sub("TRUE$", "", sapply(a$result$terms, function(t) t$term))
  say("maille (all three at once)", a$id, estimate[terms], result$elapsed_ms / 1000)
}
