import { keepOffline } from "../src/offline/register";
import { start } from "../src/verifier/app";
import "./style.css";

const root = document.getElementById("app");
if (root === null) throw new Error("no #app in the page");
void keepOffline();
void start(root);
