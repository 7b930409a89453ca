// The charger in OCPP 2.0.1: a transaction runs from its authorisation to the unplugging.

import { randomUUID } from "node:crypto";
import { Every } from "./intervals.js";

const EVSE = { id: 1, connectorId: 1 };
const STATES = {
  Charging: "Charging",
  SuspendedEV: "SuspendedEV",
  SuspendedEVSE: "SuspendedEVSE",
};

export class Dialect201 {
  constructor({ box, clock, ask, tell, refuse }) {
    Object.assign(this, { box, clock, ask, tell, refuse });
    this.heartbeatS = 0;
    this.reported = null;
    this.settings = {
      "SampledDataCtrlr.TxUpdatedInterval": "0",
      "SampledDataCtrlr.TxUpdatedMeasurands": "Energy.Active.Import.Register",
      "AlignedDataCtrlr.Interval": "0",
      "AlignedDataCtrlr.Measurands": "",
      "SmartChargingCtrlr.RateUnit": "A,W",
      "SmartChargingCtrlr.PeriodsPerSchedule": "24",
      "SmartChargingCtrlr.ProfileStackLevel": "8",
      "OCPPCommCtrlr.HeartbeatInterval": "300",
      "TxCtrlr.TxStartPoint": "Authorized",
      "TxCtrlr.TxStopPoint": "EVConnected",
    };
    this.readOnly = Object.keys(this.settings).slice(4);
    this.heartbeat = new Every(clock, () => this.heartbeatS);
    this.sample = new Every(clock, () => Number(this.settings["SampledDataCtrlr.TxUpdatedInterval"]));
    this.aligned = new Every(clock, () => Number(this.settings["AlignedDataCtrlr.Interval"]), true);
  }

  async boot() {
    const answer = await this.ask("BootNotification", {
      reason: "PowerUp",
      chargingStation: { vendorName: "Independent", model: "Strict 201", serialNumber: "S-201", firmwareVersion: "1.0.0" },
    });
    if (answer.status !== "Accepted") throw new Error(`boot: ${answer.status}`);
    this.heartbeatS = answer.interval;
    await this.status();
  }

  status() {
    return this.ask("StatusNotification", {
      timestamp: this.clock.stamp(),
      connectorStatus: this.box.plugged ? "Occupied" : "Available",
      evseId: EVSE.id,
      connectorId: EVSE.connectorId,
    });
  }

  /** The state of charging changed. What a beginning or an end changes is in their own messages. */
  changed() {
    const state = STATES[this.box.phase];
    if (this.box.transaction !== null && state !== this.reported) return this.update("ChargingStateChanged");
    return undefined;
  }

  plugged() {
    return this.status();
  }

  async unplugged() {
    if (this.box.transaction !== null) await this.end("EVCommunicationLost", "EVDisconnected");
    await this.status();
  }

  tick() {
    if (this.heartbeat.isDue()) this.ask("Heartbeat", {});
    if (this.box.transaction === null) this.sample.restart();
    else if (this.sample.isDue()) this.periodic();
    if (this.aligned.isDue()) this.clockAligned();
  }

  periodic() {
    return this.update("MeterValuePeriodic", this.values("Sample.Periodic", "SampledDataCtrlr.TxUpdatedMeasurands"));
  }

  clockAligned() {
    const meterValue = this.values("Sample.Clock", "AlignedDataCtrlr.Measurands");
    if (meterValue === undefined) return undefined;
    if (this.box.transaction !== null) return this.update("MeterValueClock", meterValue);
    return this.ask("MeterValues", { evseId: EVSE.id, meterValue });
  }

  /** Send an event of the transaction under way. */
  event(eventType, triggerReason, { info = {}, ...more } = {}) {
    const { transaction } = this.box;
    this.reported = STATES[this.box.phase] ?? "EVConnected";
    const seqNo = transaction.seqNo++;
    return this.ask("TransactionEvent", {
      eventType,
      timestamp: this.clock.stamp(),
      triggerReason,
      seqNo,
      transactionInfo: { transactionId: transaction.id, chargingState: this.reported, ...info },
      ...more,
    });
  }

  update(triggerReason, meterValue) {
    return this.event("Updated", triggerReason, meterValue === undefined ? {} : { meterValue });
  }

  async start({ idToken, remoteStartId, chargingProfile }) {
    const { box } = this;
    box.begin({ id: randomUUID(), seqNo: 0 });
    if (chargingProfile !== undefined) box.setProfile(read({ ...chargingProfile, transactionId: box.transaction.id }));
    const meterValue = this.values("Transaction.Begin", "SampledDataCtrlr.TxUpdatedMeasurands");
    this.tell("transaction-started", { id: box.transaction.id, registerWh: box.meterWh });
    const answer = await this.event("Started", "RemoteStart", {
      info: { remoteStartId },
      evse: EVSE,
      idToken,
      ...(meterValue === undefined ? {} : { meterValue }),
    });
    if (answer.idTokenInfo?.status !== "Accepted") throw new Error(`start: ${JSON.stringify(answer)}`);
  }

  async end(triggerReason, stoppedReason) {
    const { box } = this;
    box.advance();
    const meterValue = this.values("Transaction.End", "SampledDataCtrlr.TxUpdatedMeasurands");
    this.tell("transaction-ended", { id: box.transaction.id, registerWh: box.meterWh, reason: stoppedReason });
    const chargingState = box.plugged ? "EVConnected" : "Idle";
    const told = this.event("Ended", triggerReason, { info: { stoppedReason, chargingState }, meterValue });
    box.end();
    await told;
  }

  values(context, setting) {
    const { box, clock } = this;
    const sampled = {
      "Energy.Active.Import.Register": [{ value: box.meterWh, unitOfMeasure: { unit: "Wh" }, location: "Outlet" }],
      "Power.Active.Import": [{ value: Math.round(box.powerW), unitOfMeasure: { unit: "W" }, location: "Outlet" }],
      "Current.Import": ["L1", "L2", "L3"].map((phase) => ({
        value: Number(box.currentA.toFixed(2)),
        unitOfMeasure: { unit: "A" },
        phase,
      })),
    };
    const names = this.settings[setting].split(",").filter((name) => name in sampled);
    if (names.length === 0) return undefined;
    const sampledValue = names.flatMap((measurand) => sampled[measurand].map((one) => ({ ...one, context, measurand })));
    return [{ timestamp: clock.stamp(), sampledValue }];
  }

  answer(method, payload) {
    const handler = `on${method}`;
    if (typeof this[handler] !== "function") throw this.refuse("NotSupported", `${method} is not for this station`);
    return this[handler](payload);
  }

  onGetVariables({ getVariableData }) {
    return {
      getVariableResult: getVariableData.map(({ component, variable }) => {
        const value = this.settings[`${component.name}.${variable.name}`];
        if (value === undefined) return { attributeStatus: "UnknownVariable", component, variable };
        return { attributeStatus: "Accepted", attributeValue: value, component, variable };
      }),
    };
  }

  onSetVariables({ setVariableData }) {
    return {
      setVariableResult: setVariableData.map(({ component, variable, attributeValue }) => {
        const key = `${component.name}.${variable.name}`;
        let attributeStatus = "Accepted";
        if (!(key in this.settings)) attributeStatus = "UnknownVariable";
        else if (this.readOnly.includes(key) || attributeValue.includes("SoC")) attributeStatus = "Rejected";
        else this.settings[key] = attributeValue;
        return { attributeStatus, component, variable };
      }),
    };
  }

  onTriggerMessage({ requestedMessage }) {
    const wanted = {
      StatusNotification: () => this.status(),
      Heartbeat: () => this.ask("Heartbeat", {}),
      MeterValues: () => this.ask("MeterValues", { evseId: EVSE.id, meterValue: this.triggered() }),
      TransactionEvent: this.box.transaction && (() => this.update("Trigger", this.triggered())),
    }[requestedMessage];
    if (wanted === undefined) return { status: "NotImplemented" };
    if (wanted === null) return { status: "Rejected" };
    setImmediate(wanted);
    return { status: "Accepted" };
  }

  triggered() {
    return this.values("Trigger", "SampledDataCtrlr.TxUpdatedMeasurands");
  }

  onRequestStartTransaction(request) {
    const { box } = this;
    if ((request.evseId ?? EVSE.id) !== EVSE.id || !box.plugged || box.transaction !== null) return { status: "Rejected" };
    setImmediate(() => this.start(request));
    return { status: "Accepted" };
  }

  onRequestStopTransaction({ transactionId }) {
    if (this.box.transaction?.id !== transactionId) return { status: "Rejected" };
    setImmediate(() => this.end("RemoteStop", "Remote"));
    return { status: "Accepted" };
  }

  onSetChargingProfile({ evseId, chargingProfile }) {
    const isTaken = evseId <= EVSE.id && this.box.setProfile(read(chargingProfile));
    return { status: isTaken ? "Accepted" : "Rejected" };
  }

  onClearChargingProfile({ chargingProfileId: id, chargingProfileCriteria: criteria = {} }) {
    const traits = { id, purpose: criteria.chargingProfilePurpose, stackLevel: criteria.stackLevel };
    return { status: this.box.clearProfiles(traits) > 0 ? "Accepted" : "Unknown" };
  }
}

function read(profile) {
  const [schedule] = profile.chargingSchedule;
  const moment = (text) => (text === undefined ? undefined : Date.parse(text));
  return {
    id: profile.id,
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
