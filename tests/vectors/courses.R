# Makes courses.csv (once; the file is kept) and courses.times.gold.json: months from the begin of a line to the begin of the next, by the
# treatment of the line, of those who have a next one (docs/methods/pathways.md).
# Run from the repository's root: Rscript tests/vectors/courses.R     (R 4.2)
source("tests/vectors/tables_methods.R")

classes <- c("endocrine", "chemotherapy", "targeted")
if (!file.exists("tests/vectors/courses.csv")) {
  set.seed(20261130)
  n <- 500
  next_of <- function(from, stays) ifelse(is.na(from) | runif(n) > stays, NA, sample(classes, n, TRUE))
  after <- function(begin, treatment, has) begin + ifelse(is.na(has), NA, 20 + round(rexp(n, 1 / c(420, 180, 300)[match(treatment, classes)])))
  first <- sample(classes, n, TRUE, c(5, 4, 2)); second <- next_of(first, 0.7); third <- next_of(second, 0.6)
  first_begin <- as.Date("2008-01-01") + sample(0:3000, n, TRUE)
  second_begin <- after(first_begin, first, second)
  third_begin <- after(second_begin, second, third)
  second_begin[sample(which(!is.na(second)), 6)] <- NA # a line whose begin nobody knows
  write.csv(data.frame(pid = sprintf("C%03d", seq_len(n)), first, first_begin, second, second_begin, third, third_begin),
            "tests/vectors/courses.csv", row.names = FALSE, quote = FALSE, na = "")
}
d <- read.csv("tests/vectors/courses.csv", na.strings = "")
for (v in c("first", "second", "third")) d[[v]] <- factor(d[[v]], classes)
for (v in c("first_begin", "second_begin", "third_begin")) d[[v]] <- as.Date(d[[v]])
d$to_second <- as.numeric(d$second_begin - d$first_begin) / 30.4375
d$to_third <- as.numeric(d$third_begin - d$second_begin) / 30.4375
quartiles <- c(0.25, 0.5, 0.75)
treated <- subset(d, !is.na(second))
gold("courses.times", list(
  describe("second", d, "to_second", "first"), describe("third", treated, "to_third", "second"),
  quantiles("second_q", d, "to_second", quartiles, "first", 1 / 30.4375), quantiles("third_q", treated, "to_third", quartiles, "second", 1 / 30.4375)))
