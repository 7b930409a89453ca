// When something is due that repeats on the simulated clock.

export class Every {
  constructor(clock, secondsOf, isAligned = false) {
    this.clock = clock;
    this.secondsOf = secondsOf;
    this.isAligned = isAligned;
    this.restart();
  }

  restart() {
    this.last = this.clock.now();
  }

  /** Whether it is due: once for each interval that ended, or that was missed. */
  isDue() {
    const every = this.secondsOf() * 1000;
    const now = this.clock.now();
    if (!(every > 0)) return false;
    const passed = this.isAligned
      ? Math.floor(now / every) > Math.floor(this.last / every)
      : now - this.last >= every;
    if (passed) this.last = now;
    return passed;
  }
}
