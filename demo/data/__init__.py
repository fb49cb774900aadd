"""Three data sets that come inside locked packages: review sentences, hand-written digits, mortgage applications."""
