// Shows the board as the server tells it. What cards say is put in as text.
"use strict";

const columns = ["open", "doing", "done"];

const ask = async (method, path, body) => {
    const headers = body ? { "content-type": "application/json" } : {};
    const answer = await fetch(`/p/board${path}`, { method, headers, body: body && JSON.stringify(body) });
    document.getElementById("problem").textContent = answer.ok ? "" : (await answer.json()).detail;
    return answer.ok;
};

const button = (card, text, action) => {
    const element = card.appendChild(document.createElement("button"));
    element.textContent = text;
    element.addEventListener("click", action);
};

const show = ({ cards }) => {
    document.querySelectorAll("article").forEach((card) => card.remove());
    for (const { id, text, column } of cards) {
        const card = document.getElementById(column).appendChild(document.createElement("article"));
        card.appendChild(document.createElement("p")).textContent = text;
        const at = columns.indexOf(column);
        if (at > 0) button(card, "←", () => ask("PATCH", `/cards/${id}`, { column: columns[at - 1] }));
        if (at < 2) button(card, "→", () => ask("PATCH", `/cards/${id}`, { column: columns[at + 1] }));
        button(card, "✕", () => ask("DELETE", `/cards/${id}`));
    }
};

document.getElementById("add").addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target;
    if (await ask("POST", "/cards", { text: form.elements.text.value })) form.reset();
});

new EventSource("/p/board/events").addEventListener("board", (event) => show(JSON.parse(event.data)));
