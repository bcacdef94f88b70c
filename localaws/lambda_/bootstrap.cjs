// What runs inside a Node worker: loads the handler once, then answers one event after the other.
// The counterpart of bootstrap.py: same arguments, same frames, AWS's own error shapes and log lines.
"use strict";

const http = require("node:http");
const https = require("node:https");
const net = require("node:net");
const path = require("node:path");
const fs = require("node:fs");
const util = require("node:util");
const { pathToFileURL } = require("node:url");
const { syncBuiltinESMExports } = require("node:module");
const { Worker } = require("node:worker_threads");

const [channelFd, lifelineFd, handlerName] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]];
const env = process.env;
let requestId = "";

// A thread of its own, so that a handler that never yields still dies with the server. It may not block while
// it reads: process.exit() waits for all threads.
new Worker(
  `const end = () => process.kill(-process.pid, "SIGKILL");
   const lifeline = new (require("node:net").Socket)({ fd: ${lifelineFd}, writable: false });
   lifeline.on("end", end).on("error", end).resume();`,
  { eval: true },
).unref();

// AWS answers custom resources at https://<host>/, and CDK's handlers keep only host and path of the URL
// they are given. The embedded AWS speaks plain HTTP on a port: lead such requests there.
const endpoint = new URL(env.AWS_ENDPOINT_URL);
const httpsRequest = https.request;
https.request = (...args) => {
  const options = typeof args[0] === "object" && !(args[0] instanceof URL) ? args[0] : undefined;
  if (options && (options.hostname ?? options.host) === endpoint.hostname && !options.port) {
    return http.request({ ...options, protocol: "http:", port: endpoint.port }, ...args.slice(1));
  }
  return httpsRequest(...args);
};
syncBuiltinESMExports();

// Standard output is cut into log events at "\n"; a message of several lines stays one event.
const oneEvent = (text) => text.replaceAll("\n", "\r") + "\n";
const logLine = (level, ...args) =>
  process.stdout.write(oneEvent(`${new Date().toISOString()}\t${requestId}\t${level}\t${util.format(...args)}`));
for (const [name, level] of [["log", "INFO"], ["info", "INFO"], ["debug", "DEBUG"], ["warn", "WARN"], ["error", "ERROR"], ["trace", "TRACE"]]) {
  console[name] = (...args) => logLine(level, ...args);
}

function named(type, message) {
  return Object.assign(new Error(message), { name: type, stack: `${type}: ${message}` });
}

function describe(error) {
  const report =
    error instanceof Error
      ? { errorType: error.name, errorMessage: error.message, trace: String(error.stack).split("\n") }
      : { errorType: typeof error, errorMessage: String(error), trace: [] };
  logLine("ERROR", "Invoke Error \t%s", JSON.stringify({ ...report, stack: report.trace, trace: undefined }));
  return JSON.stringify(report);
}

async function load(handler) {
  const dot = handler.lastIndexOf(".");
  if (dot <= 0) throw named("Runtime.MalformedHandlerName", "Bad handler");
  const [moduleName, functionName] = [handler.slice(0, dot), handler.slice(dot + 1)];
  const stem = path.resolve(env.LAMBDA_TASK_ROOT, moduleName);
  const file = [".js", ".mjs", ".cjs"].map((ending) => stem + ending).find((name) => fs.existsSync(name));
  if (file === undefined) {
    throw named("Runtime.ImportModuleError", `Error: Cannot find module '${path.basename(moduleName)}'`);
  }
  let loaded;
  try {
    loaded = await import(pathToFileURL(file));
  } catch (error) {
    if (error instanceof SyntaxError) throw named("Runtime.UserCodeSyntaxError", String(error));
    if (/^(ERR_)?MODULE_NOT_FOUND$/.test(error?.code)) throw named("Runtime.ImportModuleError", String(error));
    throw error;
  }
  const found = loaded[functionName] ?? loaded.default?.[functionName];
  if (typeof found !== "function") {
    throw named("Runtime.HandlerNotFound", `${handler} is undefined or not exported`);
  }
  return found;
}

function contextOf(request) {
  return {
    awsRequestId: request.request_id,
    callbackWaitsForEmptyEventLoop: true,
    clientContext: request.client_context ?? undefined,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    invokedFunctionArn: request.invoked_arn,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    getRemainingTimeInMillis: () => Math.max(0, request.deadline_ms - Date.now()),
  };
}

function call(handler, event, context) {
  return new Promise((resolve, reject) => {
    const done = (error, result) => (error ? reject(error) : resolve(result));
    const returned = handler(event, context, done);
    if (typeof returned?.then === "function") returned.then(resolve, reject);
    // A handler that neither returns a promise nor calls back has nothing to say once its work is done.
    else process.once("beforeExit", () => resolve(null));
  });
}

async function answer(handler, request, payload) {
  requestId = request.request_id;
  try {
    const result = await call(handler, JSON.parse(payload), contextOf(request));
    return ["result", JSON.stringify(result) ?? "null"];
  } catch (error) {
    return ["error", describe(error)];
  }
}

const channel = new net.Socket({ fd: channelFd });
channel.on("close", () => process.exit());
channel.on("error", () => process.exit());

function send(kind, text) {
  const payload = Buffer.from(text);
  channel.write(JSON.stringify({ kind, length: payload.length }) + "\n");
  channel.write(payload);
}

async function serve(handler) {
  let buffer = Buffer.alloc(0);
  let busy = false;
  channel.on("data", async (chunk) => {
    buffer = Buffer.concat([buffer, chunk]);
    const end = buffer.indexOf(10);
    if (busy || end < 0) return;
    const request = JSON.parse(buffer.subarray(0, end));
    if (buffer.length < end + 1 + request.length) return;
    const payload = buffer.subarray(end + 1, end + 1 + request.length);
    buffer = Buffer.alloc(0); // the server sends the next event only after this one's answer
    busy = true;
    channel.unref();
    const reply = await answer(handler, request, payload);
    channel.ref();
    busy = false;
    process.removeAllListeners("beforeExit");
    send(...reply);
  });
  process.on("uncaughtException", (error) => {
    describe(error);
    process.exit(1);
  });
  send("ready", "");
}

load(handlerName).then(serve, (error) => {
  send("init_error", describe(error));
  channel.end();
});
