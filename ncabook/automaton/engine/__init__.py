"""How steps are computed: the same step, by whatever this machine does fastest."""
