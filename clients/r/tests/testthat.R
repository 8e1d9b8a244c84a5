library(testthat)
library(maille)
test_check("maille")
