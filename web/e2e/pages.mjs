// The pages of the console, and what is done to each of them.
import { agent, seen } from "./stage.mjs";

// For whoever works on one page: DATAKIT_PAGES=units,query leaves out the others.
const only = process.env.DATAKIT_PAGES?.split(",");
const wanted = ({ name }) => !only || only.includes(name);

/** Every page, by its path: its title in both languages, and the key after g that goes there. */
export const pages = [
  { name: "overview", path: "/", en: "Overview", zh: "概览", key: "o" },
  { name: "units", path: "/units", en: "Units", zh: "采集单元", key: "u" },
  { name: "changes", path: "/changes", en: "Changes", zh: "变更", key: "c" },
  { name: "stores", path: "/stores", en: "Stores", zh: "配置中心", key: "s" },
  { name: "keys", path: "/keys", en: "Keys", zh: "键", key: "k" },
  { name: "scripts", path: "/scripts", en: "Scripts", zh: "脚本", key: "p" },
  { name: "query", path: "/query", en: "Query", zh: "查询", key: "q" },
].filter(wanted);

/** What a page shows beside its list: one of each is chosen. */
export const chosen = [
  { name: "units", path: "/units?id=input%2Fmem" },
  { name: "keys", path: "/keys?store=etcdv3&key=confd%2Fmem" },
  { name: "keys", path: "/keys?store=etcdv3&key=confd%2Fbroken" },
  { name: "keys", path: "/keys?new=1" },
  { name: "scripts", path: "/scripts?script=metric%2Fnvidia_smi.p&store=etcdv3" },
  { name: "scripts", path: "/scripts?new=1" },
  { name: "query", path: `/query?q=${encodeURIComponent("M::nvidia_smi:(tconsul) BY v LIMIT 20")}` },
  {
    name: "query",
    path: `/query?as=chart&q=${encodeURIComponent("M::mem:(used_percent, available_percent) LIMIT 60")}`,
  },
].filter(wanted);

/** open goes to a page by its address, and waits until it shows what the agent does. */
export async function open(page, path) {
  await page.goto(`${agent}${path}`);
  await settled(page);
}

/** settled waits until nothing is being read any more. */
export async function settled(page) {
  await seen(page.locator("main h1"));
  await page.waitForFunction(() => {
    const main = document.querySelector("main");
    return main && !main.querySelector(".loading, [aria-busy=true]") && main.innerText.length > 20;
  });
}
