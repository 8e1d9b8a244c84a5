# DataSHIELD's own client and server packages over its in-process stand-in for servers (DSLite). Usage: datashield.R SANDBOX
source("bench/compared/common.R")
suppressMessages({
  library(DSLite)
  library(dsBaseClient)
})
options(datashield.progress = FALSE)
server <- newDSLiteServer(tables = sites, config = defaultDSConfiguration(include = "dsBase"))
began <- proc.time()[["elapsed"]]
# typed from here
builder <- DSI::newDSLoginBuilder()
for (s in names(sites))
  builder$append(server = s, url = "server", table = s, driver = "DSLiteDriver")
connections <- DSI::datashield.login(builder$build(), assign = TRUE, symbol = "D")
fit <- ds.glm("death ~ age + nodes + hormon + chemo", data = "D", family = "binomial", datasources = connections)
coefficients <- fit$coefficients
DSI::datashield.logout(connections)
# to here
say("DataSHIELD ds.glm", "logit", coefficients[terms, "Estimate"], proc.time()[["elapsed"]] - began)
