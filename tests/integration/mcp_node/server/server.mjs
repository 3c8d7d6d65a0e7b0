// Speaks the texts of google-jules-mcp 1.0.0 on the official MCP SDK, over a pretend web site.
//
// SITE            JSON file: {"pages": {id: page}, "faults": [fault], "next_id": n}. Tests write it
//                 between calls; a page is {status, files, messages, plan, paused}.
// CALLS           file that gets one JSON line when a call begins and one when it ends.
// JULES_DATA_PATH the server's own data file, as the real one keeps it.
// MISBEHAVE       words that count from the start: exit, mute, junk, flood, ignore-term, linger.
//
// A fault is {"tool", "kind", "text"?, "times"?}; kinds: hang, die, error, tool-error, text, junk,
// malformed, half-pair, flood.

import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import {
  CallToolRequestSchema, ErrorCode, ListResourcesRequestSchema, ListToolsRequestSchema, McpError,
  ReadResourceRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { appendFileSync, existsSync, readFileSync, writeFileSync, writeSync } from "node:fs";

const { SITE, CALLS, JULES_DATA_PATH: DATA } = process.env;
const misbehave = new Set((process.env.MISBEHAVE ?? "").split(",").filter(Boolean));
const forever = () => new Promise(() => setInterval(() => {}, 1000));
const flood = () => {
  for (let n = 0; n < 400; n += 1) console.error("x".repeat(16_000));
};

const readJson = (path, otherwise) => (existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : otherwise);
const site = () => ({ pages: {}, faults: [], next_id: 1, ...readJson(SITE, {}) });
const save = (path, value) => writeFileSync(path, JSON.stringify(value, null, 2));
const stored = () => readJson(DATA, { tasks: [] });
const page = (world, id) => ({ status: "", files: [], messages: [], plan: false, paused: false, ...world.pages[id] });
const idOf = (idOrUrl) => (idOrUrl.includes("/task/") ? idOrUrl.split("/task/")[1].split("/")[0] : idOrUrl);

const TOOLS = {
  jules_create_task({ description, repository, branch = "main" }) {
    const world = site();
    const id = `${2337276871082330000n + BigInt(world.next_id)}${world.id_suffix ?? ""}`;
    world.next_id += 1;
    world.pages[id] = { ...page(world, id), status: "planning" };
    save(SITE, world);
    const now = new Date(world.now ?? Date.now()).toISOString();
    const url = `https://jules.google.com/task/${id}`;
    const data = stored();
    data.tasks.push({
      id, title: description.slice(0, 50) + (description.length > 50 ? "..." : ""), description, repository,
      branch, status: "pending", createdAt: now, updatedAt: now, url, chatHistory: [], sourceFiles: [],
    });
    save(DATA, data);
    return `Task created successfully!\n\nTask ID: ${id}\nRepository: ${repository}\nBranch: ${branch}\nDescription: ${description}\nURL: ${url}\n\nTask is now pending Jules' analysis. You can check progress with jules_get_task.`;
  },
  jules_get_task({ taskId }) {
    const id = idOf(taskId);
    const found = page(site(), id);
    const data = stored();
    const task = data.tasks.find((one) => one.id === id);
    if (task) {
      const timestamp = new Date().toISOString();
      task.chatHistory = found.messages.map((content) => ({ content, timestamp, type: "system" }));
      task.sourceFiles = found.files.map((filename) => ({ filename, url: "", status: "modified" }));
      task.updatedAt = timestamp;
      save(DATA, data);
    }
    const files = found.files.map((name) => `  - ${name}`).join("\n");
    const chat = found.messages.slice(-3).map((text) => `  - ${text.trim().substring(0, 100)}...`).join("\n");
    return `Task Details (${id}):\n\nStatus: ${found.status || "unknown"}\nURL: https://jules.google.com/task/${id}\nSource Files (${found.files.length}):\n${files}\n\nRecent Chat Messages (${found.messages.length}):\n${chat}`;
  },
  jules_list_tasks({ status = "all", limit = 10 }) {
    const matching = stored().tasks.filter((task) => status === "all" || task.status === status);
    const shown = matching.slice(0, limit);
    const entries = shown.map((task) => `${task.id} - ${task.title}\n  Repository: ${task.repository}\n  Status: ${task.status}\n  Created: ${new Date(task.createdAt).toLocaleDateString()}\n  URL: ${task.url}\n`);
    return `Jules Tasks (${shown.length} of ${matching.length} total):\n\n${entries.length ? entries.join("\n") : "No tasks found."}`;
  },
  jules_send_message({ taskId, message }) {
    const id = idOf(taskId);
    const world = site();
    const found = page(world, id);
    world.pages[id] = { ...found, messages: [...found.messages, message] };
    save(SITE, world);
    return `Message sent to Jules task ${id}: "${message}"\n\nJules is processing your request. Check back with jules_get_task to see the response.`;
  },
  jules_approve_plan({ taskId }) {
    const id = idOf(taskId);
    const world = site();
    if (!page(world, id).plan) {
      return `No plan approval needed for task ${id}. The task may already be approved or not ready for approval yet.`;
    }
    world.pages[id] = { ...page(world, id), plan: false, status: "in progress" };
    save(SITE, world);
    return `Plan approved for task ${id}. Jules will now execute the planned changes.`;
  },
  jules_resume_task({ taskId }) {
    const id = idOf(taskId);
    const world = site();
    if (!page(world, id).paused) return `Task ${id} doesn't appear to be paused or may already be active.`;
    world.pages[id] = { ...page(world, id), paused: false, status: "in progress" };
    save(SITE, world);
    return `Task ${id} resumed successfully. Jules will continue working on this task.`;
  },
  jules_analyze_code({ taskId }) {
    const id = idOf(taskId);
    const { files, messages } = page(site(), id);
    const changes = messages.map((text) => `  - ${text.substring(0, 100)}...`).join("\n");
    return `Code Analysis for Task ${id}:\n\nTotal Files: ${files.length}\nTotal Changes: ${messages.length}\n\nModified Files:\n${files.map((name) => `  - ${name}`).join("\n")}\n\nCode Changes Summary:\n${changes}`;
  },
  jules_bulk_create_tasks({ tasks }) {
    const lines = tasks.map((task) => {
      TOOLS.jules_create_task(task);
      return `✓ ${task.repository}: ${task.description.substring(0, 50)}...`;
    });
    return `Bulk Task Creation Results (${tasks.length} tasks):\n\n${lines.join("\n")}`;
  },
  jules_session_info() {
    const info = { sessionMode: process.env.SESSION_MODE ?? "fresh", isHeadless: process.env.HEADLESS !== "false", timeout: Number(process.env.TIMEOUT ?? 30000), baseUrl: "https://jules.google.com", dataPath: DATA, browserConnected: false, pageReady: false, environment: Object.keys(process.env).sort() };
    return `Jules MCP Session Info:\\n${JSON.stringify(info, null, 2)}`;
  },
};

function takeFault(tool) {
  const world = site();
  const fault = world.faults.find((one) => one.tool === tool && (one.times ?? 1) > 0);
  if (fault) {
    fault.times = (fault.times ?? 1) - 1;
    save(SITE, world);
  }
  return fault;
}

async function misbehaving(fault, tool) {
  const answer = (value) => ({ content: [{ type: "text", text: value }] });
  switch (fault.kind) {
    case "hang": return forever();
    case "die": return process.exit(7);
    case "error": throw new McpError(ErrorCode.InternalError, `Error in ${tool}: ${fault.text}`);
    case "tool-error": return { ...answer(fault.text), isError: true };
    case "text": return answer(fault.text);
    case "junk": writeSync(1, `not JSON at all\n{"half": \n\u001b[31mred\n`); return undefined;
    case "malformed": return { content: "no list" };
    case "half-pair": return answer(`${fault.text}\ud83c`);
    case "flood": flood(); return undefined;
    default: throw new Error(`no such fault: ${fault.kind}`);
  }
}

const server = new Server({ name: "google-jules-mcp", version: "1.0.0" }, { capabilities: { tools: {}, resources: {} } });
server.setRequestHandler(ListToolsRequestSchema, async () => ({
  tools: Object.keys(TOOLS).map((name) => ({ name, description: name, inputSchema: { type: "object", properties: {} } })),
}));
server.setRequestHandler(ListResourcesRequestSchema, async () => ({
  resources: [{ uri: "jules://current/active-tasks", name: "Active tasks", mimeType: "application/json" }],
}));
server.setRequestHandler(ReadResourceRequestSchema, async ({ params: { uri } }) => {
  if (uri !== "jules://current/active-tasks" || process.env.NO_RESOURCE) {
    throw new McpError(ErrorCode.InvalidRequest, `Unknown resource: ${uri}`);
  }
  const active = stored().tasks.filter((task) => ["pending", "in_progress"].includes(task.status));
  return { contents: [{ uri, mimeType: "application/json", text: JSON.stringify(active, null, 2) }] };
});
server.setRequestHandler(CallToolRequestSchema, async ({ params: { name, arguments: given } }) => {
  const note = (what) => appendFileSync(CALLS, `${JSON.stringify({ what, name, given, pid: process.pid })}\n`);
  note("begin");
  await new Promise((resolve) => setTimeout(resolve, 20)); // as the page would: overlapping calls would show
  const tool = TOOLS[name];
  try {
    if (!tool) throw new McpError(ErrorCode.InternalError, `Error in ${name}: MCP error -32601: Unknown tool: ${name}`);
    const fault = takeFault(name);
    const instead = fault && (await misbehaving(fault, name));
    return instead ?? { content: [{ type: "text", text: tool(given) }] };
  } finally {
    note("end");
  }
});

if (misbehave.has("exit")) {
  console.error("Error: Cannot find module './nowhere.js' \u001b[31m(in red)\u001b[0m");
  process.exit(3);
}
if (misbehave.has("ignore-term")) process.on("SIGTERM", () => {});
else process.on("SIGTERM", () => process.exit(0));
if (misbehave.has("linger") || misbehave.has("ignore-term")) setInterval(() => {}, 1000);
if (misbehave.has("junk")) writeSync(1, "> google-jules-mcp@1.0.0 start\n> node dist/index.js\n\n");
if (misbehave.has("flood")) flood();
console.error(`Google Jules MCP Server running on stdio, cookies ${process.env.GOOGLE_AUTH_COOKIES ?? "none"}`);
if (misbehave.has("mute")) process.stdin.resume();
else await server.connect(new StdioServerTransport());
