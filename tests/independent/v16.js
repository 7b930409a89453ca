// The charger in OCPP 1.6J (edition 2).

import { Every } from "./intervals.js";

const CONNECTOR = 1;

export class Dialect16 {
  constructor({ box, clock, ask, tell, refuse }) {
    Object.assign(this, { box, clock, ask, tell, refuse });
    this.heartbeatS = 0;
    this.isStarting = false;
    this.settings = {
      MeterValueSampleInterval: "0",
      MeterValuesSampledData: "Energy.Active.Import.Register",
      ClockAlignedDataInterval: "0",
      MeterValuesAlignedData: "",
      HeartbeatInterval: "300",
      ChargeProfileMaxStackLevel: "8",
      ChargingScheduleAllowedChargingRateUnit: "Current,Power",
      ChargingScheduleMaxPeriods: "24",
      MaxChargingProfilesInstalled: "10",
      NumberOfConnectors: "1",
      SupportedFeatureProfiles: "Core,SmartCharging,RemoteTrigger",
    };
    this.readOnly = Object.keys(this.settings).slice(5);
    this.heartbeat = new Every(clock, () => this.heartbeatS);
    this.sample = new Every(clock, () => Number(this.settings.MeterValueSampleInterval));
    this.aligned = new Every(clock, () => Number(this.settings.ClockAlignedDataInterval), true);
  }

  async boot() {
    const answer = await this.ask("BootNotification", {
      chargePointVendor: "Independent",
      chargePointModel: "Strict 16",
      chargePointSerialNumber: "S-16",
      firmwareVersion: "1.0.0",
    });
    if (answer.status !== "Accepted") throw new Error(`boot: ${answer.status}`);
    this.heartbeatS = answer.interval;
    await this.status(0);
    await this.status(CONNECTOR);
  }

  status(connectorId = CONNECTOR) {
    const status = connectorId === 0 ? "Available" : this.box.phase;
    return this.ask("StatusNotification", { connectorId, errorCode: "NoError", status, timestamp: this.clock.stamp() });
  }

  changed() {
    return this.status();
  }

  plugged() {}

  async unplugged() {
    if (this.box.transaction !== null) await this.stop("EVDisconnected");
  }

  tick() {
    if (this.heartbeat.isDue()) this.ask("Heartbeat", {});
    if (this.box.transaction === null) this.sample.restart();
    else if (this.sample.isDue()) this.meter("Sample.Periodic", this.settings.MeterValuesSampledData);
    if (this.aligned.isDue()) this.meter("Sample.Clock", this.settings.MeterValuesAlignedData);
  }

  async start(idTag) {
    const { box, clock } = this;
    const meterStart = box.meterWh;
    const answer = await this.ask("StartTransaction", {
      connectorId: CONNECTOR,
      idTag,
      meterStart,
      timestamp: clock.stamp(),
    });
    if (answer.idTagInfo.status !== "Accepted") throw new Error(`start: ${answer.idTagInfo.status}`);
    box.begin({ id: answer.transactionId });
    this.tell("transaction-started", { id: answer.transactionId, registerWh: meterStart });
  }

  async stop(reason) {
    const { box, clock } = this;
    box.advance();
    const { id: transactionId } = box.transaction;
    box.end();
    this.tell("transaction-ended", { id: transactionId, registerWh: box.meterWh, reason });
    await this.ask("StopTransaction", { transactionId, meterStop: box.meterWh, timestamp: clock.stamp(), reason });
  }

  meter(context, measurands) {
    const { box, clock } = this;
    const sampled = {
      "Energy.Active.Import.Register": [{ value: String(box.meterWh), unit: "Wh", location: "Outlet" }],
      "Power.Active.Import": [{ value: box.powerW.toFixed(1), unit: "W", location: "Outlet" }],
      "Current.Import": ["L1", "L2", "L3"].map((phase) => ({ value: box.currentA.toFixed(2), unit: "A", phase })),
    };
    const names = measurands.split(",").filter((name) => name in sampled);
    if (names.length === 0) return undefined;
    const sampledValue = names.flatMap((measurand) => sampled[measurand].map((one) => ({ ...one, context, measurand })));
    const transactionId = box.transaction?.id;
    return this.ask("MeterValues", {
      connectorId: CONNECTOR,
      ...(transactionId === undefined ? {} : { transactionId }),
      meterValue: [{ timestamp: clock.stamp(), sampledValue }],
    });
  }

  answer(method, payload) {
    const handler = `on${method}`;
    if (typeof this[handler] !== "function") throw this.refuse("NotSupported", `${method} is not for this charger`);
    return this[handler](payload);
  }

  onGetConfiguration({ key: wanted = Object.keys(this.settings) }) {
    const known = wanted.filter((key) => key in this.settings);
    return {
      configurationKey: known.map((key) => ({
        key,
        readonly: this.readOnly.includes(key),
        value: this.settings[key],
      })),
      unknownKey: wanted.filter((key) => !(key in this.settings)),
    };
  }

  onChangeConfiguration({ key, value }) {
    if (!(key in this.settings)) return { status: "NotSupported" };
    if (this.readOnly.includes(key) || value.includes("SoC")) return { status: "Rejected" };
    this.settings[key] = value;
    return { status: "Accepted" };
  }

  onTriggerMessage({ requestedMessage, connectorId = CONNECTOR }) {
    const wanted = {
      StatusNotification: () => this.status(connectorId),
      MeterValues: () => this.meter("Trigger", this.settings.MeterValuesSampledData),
      Heartbeat: () => this.ask("Heartbeat", {}),
    }[requestedMessage];
    if (wanted === undefined) return { status: "NotImplemented" };
    setImmediate(wanted);
    return { status: "Accepted" };
  }

  onRemoteStartTransaction({ idTag, connectorId = CONNECTOR, chargingProfile }) {
    const { box } = this;
    const isFree = box.plugged && box.transaction === null && !this.isStarting;
    if (connectorId !== CONNECTOR || !isFree) return { status: "Rejected" };
    this.isStarting = true;
    setImmediate(async () => {
      await this.start(idTag);
      this.isStarting = false;
      if (chargingProfile !== undefined) box.setProfile(read(chargingProfile));
    });
    return { status: "Accepted" };
  }

  onRemoteStopTransaction({ transactionId }) {
    if (this.box.transaction?.id !== transactionId) return { status: "Rejected" };
    setImmediate(() => this.stop("Remote"));
    return { status: "Accepted" };
  }

  onSetChargingProfile({ connectorId, csChargingProfiles }) {
    const isTaken = connectorId <= CONNECTOR && this.box.setProfile(read(csChargingProfiles));
    return { status: isTaken ? "Accepted" : "Rejected" };
  }

  onClearChargingProfile({ id, chargingProfilePurpose: purpose, stackLevel }) {
    return { status: this.box.clearProfiles({ id, purpose, stackLevel }) > 0 ? "Accepted" : "Unknown" };
  }
}

function read(profile) {
  const { chargingSchedule: schedule } = profile;
  const moment = (text) => (text === undefined ? undefined : Date.parse(text));
  return {
    id: profile.chargingProfileId,
    stackLevel: profile.stackLevel,
    purpose: profile.chargingProfilePurpose,
    kind: profile.chargingProfileKind,
    recurrency: profile.recurrencyKind,
    validFrom: moment(profile.validFrom),
    validTo: moment(profile.validTo),
    transaction: profile.transactionId,
    schedule: {
      start: moment(schedule.startSchedule),
      duration: schedule.duration,
      unit: schedule.chargingRateUnit,
      periods: schedule.chargingSchedulePeriod.map(({ startPeriod, limit, numberPhases }) => ({
        start: startPeriod,
        limit,
        phases: numberPhases,
      })),
    },
  };
}
