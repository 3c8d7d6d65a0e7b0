// Create, plan approval, question and answer, stream and result; prints one JSON object.
import { connect } from "@google/jules-sdk";

const jules = connect({ apiKey: "k", baseUrl: process.argv[2], config: { pollingIntervalMs: 50 } });
const told = { sources: [], kinds: [], artifacts: [] };

for await (const source of jules.sources()) told.sources.push(source.id);

const session = await jules.session({
  prompt: "Add a greeting", title: "Greeting", requireApproval: true,
  source: { github: "octo/demo", baseBranch: "main" },
});
told.id = session.id;
await session.waitFor("awaitingPlanApproval");
told.waiting = (await session.info()).state;
await session.approve();

let answered = false;
for await (const activity of session.stream()) {
  told.kinds.push(activity.type);
  told.artifacts.push(...activity.artifacts.map((artifact) => artifact.type));
  if (activity.type === "agentMessaged" && !answered) {
    answered = true;
    await session.send("Hello, please.");
  }
  if (activity.type === "sessionCompleted" || activity.type === "sessionFailed") break;
}

const outcome = await session.result();
told.state = outcome.state;
told.pullRequest = outcome.pullRequest;
told.files = outcome.changeSet().parsed().files;
console.log(JSON.stringify(told));
