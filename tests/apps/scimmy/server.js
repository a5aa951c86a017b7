// A SCIM app made of scimmy and scimmy-routers on Express, with its accounts and groups in memory: node server.js PORT TOKEN
// Port 0 takes a free one. Prints its address once it takes requests, and ends when its standard input does.
const { randomUUID } = require("node:crypto");
const express = require("express");
const SCIMMY = require("scimmy");
const { SCIMMYRouters } = require("scimmy-routers");

const [port, token] = process.argv.slice(2);
const BASE = "/scim";

class Resources {
  #byId = new Map();
  #idByName = new Map(); // in lower case: userName and displayName are caseExact false
  #key;

  constructor(key) {
    this.#key = key;
  }

  find(id) {
    const account = this.#byId.get(id);
    if (account === undefined) throw new SCIMMY.Types.Error(404, null, `Resource ${id} not found`);
    return account;
  }

  select(filter) {
    if (filter === undefined) return [...this.#byId.values()];
    const name = nameAskedFor(filter, this.#key);
    if (name === undefined) return [...this.#byId.values()].filter((account) => answers(account, filter));
    const id = this.#idByName.get(name.toLowerCase());
    return id === undefined ? [] : [this.find(id)];
  }

  save(id, data) {
    const before = id === undefined ? undefined : this.find(id);
    const name = data[this.#key].toLowerCase();
    const holder = this.#idByName.get(name);
    if (holder !== undefined && holder !== id)
      throw new SCIMMY.Types.Error(409, "uniqueness", `${this.#key} is already taken`);
    const lastModified = new Date().toISOString();
    const account = {
      ...JSON.parse(JSON.stringify(data)),
      id: id ?? randomUUID(),
      meta: { created: before?.meta.created ?? lastModified, lastModified },
    };
    if (before !== undefined) this.#idByName.delete(before[this.#key].toLowerCase());
    this.#idByName.set(name, account.id);
    this.#byId.set(account.id, account);
    return account;
  }

  remove(id) {
    this.#idByName.delete(this.find(id)[this.#key].toLowerCase());
    this.#byId.delete(id);
  }
}

// The value, where a filter is nothing but `userName eq VALUE`, or the same of another key.
function nameAskedFor(filter, key) {
  const [operator, value] = filter[0][key] ?? [];
  const alone = filter.length === 1 && Object.keys(filter[0]).length === 1;
  return alone && operator === "eq" && typeof value === "string" ? value : undefined;
}

// scimmy's match throws for an account without the attribute into which the filter looks.
function answers(account, filter) {
  try {
    return filter.match([account]).length === 1;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

function authenticate(request) {
  if (request.header("authorization") !== `Bearer ${token}`) throw new Error("the bearer token is missing or wrong");
}

function declare(type, resources) {
  SCIMMY.Resources.declare(type)
    .ingress((resource, data) => resources.save(resource.id, data))
    .egress((resource) => (resource.id === undefined ? resources.select(resource.filter) : resources.find(resource.id)))
    .degress((resource) => resources.remove(resource.id));
}

declare(SCIMMY.Resources.User.extend(SCIMMY.Schemas.EnterpriseUser, false), new Resources("userName"));
declare(SCIMMY.Resources.Group, new Resources("displayName"));

const app = express();
app.use(BASE, new SCIMMYRouters({ type: "bearer", handler: authenticate }));
const server = app.listen(Number(port), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}${BASE}`);
});
process.stdin.resume().on("end", () => process.exit(0));
