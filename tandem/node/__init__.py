"""Network, files and clocks: the only floor that knows them."""
