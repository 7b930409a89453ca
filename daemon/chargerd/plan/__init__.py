"""The plan: prices, need and limits in, a schedule out. Pure, and below the core, which calls it."""
