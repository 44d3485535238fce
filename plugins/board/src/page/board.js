// Shows the board as the server tells it. What cards say is put in as text.
"use strict";

const columns = [...document.querySelectorAll("section")].map((section) => section.id);
const problem = document.getElementById("problem");

const tell = (text) => {
    problem.textContent = text;
    problem.hidden = !text;
};

const ask = async (method, path, body) => {
    const headers = body ? { "content-type": "application/json" } : {};
    try {
        const answer = await fetch(`/p/board${path}`, { method, headers, body: body && JSON.stringify(body) });
        tell(answer.ok ? "" : (await answer.json()).detail);
        return answer.ok;
    } catch {
        tell("The board cannot be reached.");
        return false;
    }
};

const button = (actions, sign, label, action) => {
    const element = actions.appendChild(document.createElement("button"));
    element.textContent = sign;
    element.title = label;
    element.setAttribute("aria-label", label);
    element.addEventListener("click", action);
    return element;
};

const make = ({ id, text, column }) => {
    const card = document.createElement("article");
    card.dataset.id = id;
    card.appendChild(document.createElement("p")).textContent = text;
    const actions = card.appendChild(document.createElement("div"));
    actions.className = "actions";
    const at = columns.indexOf(column);
    const move = (to) => ask("PATCH", `/cards/${id}`, { column: columns[to] });
    if (at > 0) button(actions, "←", `Move to ${columns[at - 1]}`, () => move(at - 1));
    if (at + 1 < columns.length) button(actions, "→", `Move to ${columns[at + 1]}`, () => move(at + 1));
    button(actions, "✕", "Remove", () => ask("DELETE", `/cards/${id}`)).className = "remove";
    return card;
};

const show = ({ cards }) => {
    for (const column of columns) {
        const section = document.getElementById(column);
        const own = cards.filter((card) => card.column === column);
        section.querySelector(".cards").replaceChildren(...own.map(make));
        section.querySelector(".count").textContent = own.length;
    }
};

document.getElementById("add").addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target;
    if (await ask("POST", "/cards", { text: form.elements.text.value })) form.reset();
});

new EventSource("/p/board/events").addEventListener("board", (event) => show(JSON.parse(event.data)));
