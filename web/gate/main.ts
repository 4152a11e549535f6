import { start } from "../src/gate/app";
import { keepOffline } from "../src/offline/register";
import "./style.css";

const root = document.getElementById("app");
if (root === null) throw new Error("no #app in the page");
void keepOffline();
void start(root);
