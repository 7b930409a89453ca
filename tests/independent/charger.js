// A charger played with ocpp-rpc in strict mode: each frame that comes and goes is checked against that package's own
// copies of the schemas. The first fault ends it with exit code 1 and the frame on standard output.
//
//   node charger.js --url ws://HOST:PORT/ocpp --identity ID --version 1.6|2.0.1 --clock START@SPEED@ANCHOR
//                   --level PCT --battery-kwh KWH
//
// Commands come on standard input, one JSON object per line: {"do":"plug"}, {"do":"unplug","at":TIME}, {"do":"quit"}.
// What happens goes to standard output, one JSON object per line.

import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import rpc from "ocpp-rpc";
import { Box } from "./box.js";
import { Clock } from "./clock.js";
import { Dialect16 } from "./v16.js";
import { Dialect201 } from "./v201.js";

const TICK_MS = 20;
const { values: options } = parseArgs({
  options: {
    url: { type: "string" },
    identity: { type: "string" },
    version: { type: "string" },
    clock: { type: "string" },
    level: { type: "string", default: "30" },
    "battery-kwh": { type: "string", default: "60" },
  },
});

const clock = new Clock(options.clock);
const box = new Box({ clock, levelPct: Number(options.level), batteryWh: Number(options["battery-kwh"]) * 1000 });
const checked = {};
let pending = 0;
let isQuitting = false;

function tell(event, more = {}) {
  console.log(JSON.stringify({ event, at: clock.stamp(), ...more }));
}

/** The one way out when something is wrong. */
function fail(what, frame) {
  if (isQuitting) return;
  isQuitting = true;
  process.stdout.write(`${JSON.stringify({ event: "violation", what: String(what), frame })}\n`, () => process.exit(1));
}

function count(kind, method) {
  const name = `${method}.${kind}`;
  checked[name] = (checked[name] ?? 0) + 1;
}

const client = new rpc.RPCClient({
  endpoint: options.url,
  identity: options.identity,
  protocols: [`ocpp${options.version}`],
  strictMode: true,
  reconnect: false,
  pingIntervalMs: 0,
});

client.on("strictValidationFailure", ({ messageId, method, params, result, error, outbound, isCall }) => {
  const whose = outbound ? "our own" : "the central system's";
  fail(`${whose} ${method} ${isCall ? "request" : "answer"}: ${error.message}`, [messageId, method, params, result]);
});
client.on("badMessage", ({ buffer, error }) => fail(`no OCPP-J frame: ${error.message}`, buffer.toString()));
client.on("close", ({ code, reason }) => fail(`closed by the central system: ${code} ${reason}`, null));
client.on("message", ({ message, outbound }) => {
  if (!outbound) checkFrame(message);
});

const TIME = /"\d{4}-\d\d-\d\dT[^"]*"/g;
const RFC_3339 = /^"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"$/;

/**
 * What the schemas do not say or ajv does not check: OCPP-J section 4 (frames of three, four or five parts, ids of at
 * most 36 characters, one CALL at a time), and that a time has a zone.
 */
function checkFrame(message) {
  let frame;
  try {
    frame = JSON.parse(message);
  } catch {
    return; // badMessage tells it
  }
  const lengths = { 2: 4, 3: 3, 4: 5 };
  if (frame.length !== lengths[frame[0]]) fail(`a frame of ${frame.length} parts`, frame);
  if (frame[1].length > 36) fail("a message id of more than 36 characters", frame);
  for (const time of message.match(TIME) ?? []) {
    if (!RFC_3339.test(time)) fail(`${time} is no RFC 3339 time`, frame);
  }
  if (frame[0] === 2 && pending > 0) fail("a second CALL before the first was answered", frame);
}

/** Ask the central system; anything but a valid answer is the end. Requests go out in order, one at a time. */
async function ask(method, params) {
  try {
    const answer = await client.call(method, params);
    count("conf", method);
    return answer;
  } catch (error) {
    fail(`${method} was not answered well: ${error.rpcErrorCode ?? ""} ${error.message}`, [method, params]);
    return new Promise(() => {}); // nothing goes on after a fault
  }
}

const Dialect = options.version === "1.6" ? Dialect16 : Dialect201;
const dialect = new Dialect({ box, clock, ask, tell, refuse: rpc.createRPCError });

client.handle(async ({ method, params }) => {
  count("req", method);
  pending += 1;
  await new Promise((resolve) => setTimeout(resolve, 5)); // long enough for a second CALL to be noticed
  pending -= 1;
  tell("asked", { method });
  box.advance();
  return dialect.answer(method, params);
});

const due = [];

/** Do what stands on a line of standard input, at its time. */
async function act({ do: deed, at }) {
  const when = at === undefined ? clock.now() : Date.parse(at);
  if (when > clock.now()) {
    due.push({ do: deed, at });
    return;
  }
  if (deed === "plug") await plug();
  else if (deed === "unplug") await unplug();
  else if (deed === "quit") await quit();
  else fail(`unknown command ${deed}`, null);
}

async function plug() {
  box.plugged = true;
  box.hasFinished = false;
  box.pluggedWh = box.meterWh;
  tell("plugged", { registerWh: box.meterWh, levelPct: box.levelPct });
  await dialect.plugged();
}

async function unplug() {
  box.advance();
  box.plugged = false;
  await dialect.unplugged();
  const sessionWh = box.meterWh - box.pluggedWh;
  tell("unplugged", { registerWh: box.meterWh, sessionWh, levelPct: box.levelPct });
}

async function quit() {
  isQuitting = true;
  await client.close({ awaitPending: true });
  tell("checked", { frames: checked });
  process.exit(0);
}

async function live() {
  await client.connect();
  await dialect.boot();
  tell("booted");
  createInterface({ input: process.stdin }).on("line", (line) => act(JSON.parse(line)));
  let phase = box.phase;
  setInterval(() => {
    box.advance();
    if (box.phase !== phase) {
      phase = box.phase;
      tell("phase", { phase, registerWh: box.meterWh });
      dialect.changed();
    }
    dialect.tick();
    for (const deed of due.splice(0)) act(deed);
  }, TICK_MS);
}

process.on("unhandledRejection", (error) => fail(error.stack ?? error, null));
await live();
