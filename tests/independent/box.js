// One outlet, the car on it and the charging profiles that were set: what a charger is, without any protocol.
//
// A profile is {id, stackLevel, purpose, kind, recurrency, validFrom, validTo, transaction, schedule}, a schedule
// {start, duration, unit, periods: [{start, limit, phases}]}; times in ms since 1970, offsets and durations in s.

const CURRENT_MIN_A = 6; // IEC 61851-1: the least that a pilot can offer
const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;

export class Box {
  constructor({ clock, levelPct, batteryWh, registerWh = 1_234_567, efficiency = 0.92 }) {
    this.clock = clock;
    this.batteryWh = batteryWh;
    this.storedWh = (batteryWh * levelPct) / 100;
    this.registerWh = registerWh;
    this.efficiency = efficiency;
    this.phases = 3;
    this.voltageV = 230;
    this.currentMaxA = 16;
    this.powerMaxW = 11_000;
    this.plugged = false;
    this.transaction = null;
    this.hasFinished = false;
    this.profiles = new Map();
    this.powerW = 0;
    this.at = clock.now();
  }

  get levelPct() {
    return (100 * this.storedWh) / this.batteryWh;
  }

  get currentA() {
    return this.powerW / this.phases / this.voltageV;
  }

  /** What the meter shows: whole Wh. */
  get meterWh() {
    return Math.floor(this.registerWh);
  }

  /** Let the power of the time since the last look flow, then see what flows from now on. */
  advance() {
    const now = this.clock.now();
    const room = (this.batteryWh - this.storedWh) / this.efficiency;
    const drawnWh = Math.min((this.powerW * (now - this.at)) / 3_600_000, room);
    this.registerWh += drawnWh;
    this.storedWh = Math.min(this.storedWh + drawnWh * this.efficiency, this.batteryWh);
    this.at = now;
    const offeredA = this.offeredA();
    const isFull = this.batteryWh - this.storedWh < 1;
    this.powerW = isFull ? 0 : Math.min(offeredA * this.phases * this.voltageV, this.powerMaxW);
  }

  /** Amperes per phase on the pilot: 0, or at least 6. */
  offeredA() {
    if (!this.plugged || this.transaction === null) return 0;
    const limits = [this.currentMaxA, this.limitA("ChargePointMaxProfile"), this.limitA("ChargingStationMaxProfile")];
    limits.push(this.limitA("TxProfile") ?? this.limitA("TxDefaultProfile"));
    const offered = Math.min(...limits.filter((limit) => limit !== null));
    return offered < CURRENT_MIN_A ? 0 : offered;
  }

  /** The limit of a purpose now: that of the highest stack level which has one (1.6 section 3.13.2); null when none. */
  limitA(purpose) {
    const fitting = [...this.profiles.values()].filter((profile) => profile.purpose === purpose);
    fitting.sort((one, other) => other.stackLevel - one.stackLevel);
    for (const profile of fitting) {
      const limit = this.limitOf(profile);
      if (limit !== null) return limit;
    }
    return null;
  }

  limitOf(profile) {
    const { schedule } = profile;
    if (this.at < (profile.validFrom ?? -Infinity) || this.at >= (profile.validTo ?? Infinity)) return null;
    const start = this.startOf(profile);
    const offset = (this.at - start) / 1000;
    if (offset < 0 || offset >= (schedule.duration ?? Infinity)) return null;
    const period = schedule.periods.filter(({ start: from }) => from <= offset).at(-1);
    if (period === undefined) return null;
    const phases = period.phases ?? 3;
    return schedule.unit === "W" ? period.limit / phases / this.voltageV : period.limit;
  }

  startOf({ kind, recurrency, schedule }) {
    const begun = this.transaction.at;
    if (kind === "Relative") return begun;
    const start = schedule.start ?? begun;
    if (kind !== "Recurring") return start;
    const every = recurrency === "Weekly" ? WEEK_MS : DAY_MS;
    return start + Math.floor((this.at - start) / every) * every;
  }

  /** Take a profile; one with the same id, or the same purpose and stack level, gives way. False: not now. */
  setProfile(profile) {
    if (profile.purpose === "TxProfile") {
      if (this.transaction === null) return false;
      if (profile.transaction !== undefined && profile.transaction !== this.transaction.id) return false;
    }
    for (const [id, old] of this.profiles) {
      if (old.purpose === profile.purpose && old.stackLevel === profile.stackLevel) this.profiles.delete(id);
    }
    this.profiles.set(profile.id, profile);
    return true;
  }

  /** Remove the profiles that have these traits (undefined: any); say how many there were. */
  clearProfiles(traits) {
    const wanted = Object.entries(traits).filter(([, value]) => value !== undefined);
    const chosen = [...this.profiles.values()].filter((profile) => wanted.every(([key, value]) => profile[key] === value));
    for (const { id } of chosen) this.profiles.delete(id);
    return chosen.length;
  }

  begin(transaction) {
    this.transaction = { ...transaction, at: this.clock.now() };
    this.hasFinished = false;
  }

  end() {
    this.clearProfiles({ purpose: "TxProfile" });
    this.transaction = null;
    this.hasFinished = true;
    this.advance();
  }

  /** What goes on at the outlet, in the words of 1.6. */
  get phase() {
    if (!this.plugged) return "Available";
    if (this.transaction === null) return this.hasFinished ? "Finishing" : "Preparing";
    if (this.powerW > 0) return "Charging";
    return this.offeredA() > 0 ? "SuspendedEV" : "SuspendedEVSE";
  }
}
