import { start } from "../src/holder/app";
import { keepOffline } from "../src/offline/register";
import "../styles/phone.css";

const root = document.getElementById("app");
if (root === null) throw new Error("no #app in the page");
void keepOffline();
void start(root);
