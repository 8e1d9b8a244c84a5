# Makes causes.csv, causes.cuminc.gold.json and rotterdam.cuminc.gold.json (R 4.2, cmprsk 2.2-11). Run from the source folder.
source("tests/vectors/tables_common.R")
source("tests/vectors/competing.R")

# --- the data: 160 patients; an arm and a cause that nobody has, an arm without one of the causes, times of 0, many ties ---
set.seed(20240517, kind = "Mersenne-Twister", normal.kind = "Inversion", sample.kind = "Rejection")
n <- 160
d <- data.frame(pid = sprintf("C%03d", 1:n), arm = sample(c("A", "B", "D"), n, TRUE, c(.45, .4, .15)),
                sex = sample(0:1, n, TRUE), time = sample(0:30, n, TRUE),
                status = sample(c("none", "relapse", "death"), n, TRUE, c(.3, .4, .3)))
d$status[d$arm == "D" & d$status == "death"] <- "none"
d$time[d$arm == "B"][1:4] <- 30                                    # ties at the last time,
d$status[d$time == 30 & d$arm == "B"] <- rep_len(c("relapse", "death"), sum(d$time == 30 & d$arm == "B"))    # where everybody of the arm fails
d$status[d$time == 30 & d$arm != "B"] <- "none"
d$rare <- "none"; d$rare[d$arm == "A"][5] <- "relapse"             # one event in all
d$rare[d$sex == 1 & d$arm == "B"] <- "death"
d$never <- "none"
d$arm[c(4, 99)] <- NA
d$status[17] <- NA
d$entry <- ifelse(runif(n) < .5, 0, floor(d$time * runif(n)))          # after some have left; at a time of 0 nobody is there at all
d$age <- sample(30:80, n, TRUE)
write.csv(d, "tests/vectors/causes.csv", row.names = FALSE, quote = FALSE, na = "NA")

# --- what cmprsk says ---
failed <- function(id, method) list(id = id, method = method, status = "failed")

d <- read.csv("tests/vectors/causes.csv", stringsAsFactors = FALSE)
d$arm <- factor(d$arm, c("A", "B", "C", "D"))
d$sex <- d$sex == 1
for (v in c("status", "rare")) d[[v]] <- factor(d[[v]], c("none", "relapse", "death", "toxicity"))
gold("causes.cuminc", list(
  cuminc_gold("one", d, "time", "status", dropped_levels = list("status=toxicity")),
  cuminc_gold("arms", d, "time", "status", "arm", dropped_levels = list("arm=C", "status=toxicity")),
  cuminc_gold("strata", d, "time", "status", "arm", "sex", dropped_levels = list("arm=C", "status=toxicity")),
  cuminc_gold("rho", d, "time", "status", "sex", "arm", rho = 1, conf = 0.9, dropped_levels = list("arm=C", "status=toxicity")),
  cuminc_gold("rare", d, "time", "rare", "arm", dropped_levels = list("arm=C", "rare=toxicity")),
  cuminc_gold("last", subset(d, time >= 28 & arm == "B"), "time", "status", "sex", dropped_levels = list("status=toxicity")),
  failed("never", "cuminc"), failed("nobody", "cuminc")))

r <- rotterdam()
r$node_group <- node_group(r)
r$cause <- factor(ifelse(r$recur, 1, ifelse(r$death, 2, 0)), 0:2, c("[-Inf,1)", "[1,2)", "[2, Inf)"))
r$month <- 30.4375 * on_grid_exit(r$rtime, 30.4375)
gold("rotterdam.cuminc", list(
  cuminc_gold("all", r, "month", "cause"), cuminc_gold("chemo", r, "month", "cause", "chemo"),
  cuminc_gold("nodes", r, "month", "cause", "node_group", c("size", "grade")),
  cuminc_gold("rho", r, "month", "cause", "size", rho = -0.5)))
