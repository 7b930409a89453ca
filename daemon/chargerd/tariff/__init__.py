"""Where prices come from: one small module per source behind one contract."""
