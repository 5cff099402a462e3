// Asks TrustService and grpc.health.v1 with @grpc/grpc-js, and prints what came back as one line of JSON.
//
//   node client.js [-cacert FILE [-cert FILE -key FILE]] TARGET PROTOS
'use strict';
const fs = require('fs');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const args = process.argv.slice(2);
const files = {};
while (args[0].startsWith('-')) {
  files[args.shift().slice(1)] = fs.readFileSync(args.shift());
}
const [target, protos] = args;
const definition = loader.loadSync(['iptrust/v1/iptrust.proto', 'grpc/health/v1/health.proto'],
  { includeDirs: [protos], keepCase: true, enums: String, defaults: true });
const loaded = grpc.loadPackageDefinition(definition);
const credentials = files.cacert
  ? grpc.credentials.createSsl(files.cacert, files.key || null, files.cert || null)
  : grpc.credentials.createInsecure();
const trust = new loaded.iptrust.v1.TrustService(target, credentials);
const health = new loaded.grpc.health.v1.Health(target, credentials);
const options = () => ({ deadline: Date.now() + 10000 });

const ask = (client, method, request) => new Promise((resolve) => {
  client[method](request, options(), (error, answer) => resolve(error ? { code: error.code, details: error.details } : answer));
});

const stream = (count) => new Promise((resolve, reject) => {
  const call = trust.ResolveStream(options());
  const ids = [];
  call.on('data', (answer) => ids.push(answer.result.decision.request_id));
  call.on('error', reject);
  call.on('end', () => resolve(ids));
  for (let i = 0; i < count; i++) {
    call.write({ request: { peer: '10.0.12.1', request_id: String(i) } });
  }
  call.end();
});

async function main() {
  const headers = [{ name: 'X-Forwarded-For', value: Buffer.from('8.8.8.8') }];
  const told = {
    health: (await ask(health, 'Check', { service: '' })).status,
    decision: (await ask(trust, 'Resolve', { request: { peer: '10.0.12.1', headers } })).decision,
    missing: await ask(trust, 'Resolve', { request: {} }),
    stream: await stream(100),
  };
  console.log(JSON.stringify(told));
  trust.close();
  health.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
