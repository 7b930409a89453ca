// The accelerated clock of `chargerd run --clock START@SPEED@ANCHOR`, so that charger and daemon share one time.

export class Clock {
  constructor(spelling) {
    const [start, speed, anchor] = spelling.split("@");
    this.start = Date.parse(start);
    this.speed = Number(speed);
    this.anchor = Number(anchor) * 1000;
    if (!(this.start > 0 && this.speed > 0 && this.anchor > 0)) {
      throw new Error(`clock ${spelling}: expected START@SPEED@ANCHOR`);
    }
  }

  /** Simulated milliseconds since 1970. */
  now() {
    return this.start + (Date.now() - this.anchor) * this.speed;
  }

  /** A time as OCPP spells it; now when none is given. */
  stamp(at = this.now()) {
    return new Date(at).toISOString();
  }
}
