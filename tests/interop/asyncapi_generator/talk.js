// Lets the generated client have a conversation. Prints each message that it gets, as it came.
//
//     node talk.js URL NICKNAME

const ChatAPI = require('./client.js');

const [url, nickname] = process.argv.slice(2);
const chat = new ChatAPI(url);
const timestamp = '2026-11-25T12:00:00Z';

// What it says when it has got a message of a type.
const turns = {
  presenceChanged: ({ data }) => {
    if (data.nickname === nickname) {
      chat.sendMessage({ type: 'sendMessage', timestamp, data: { text: 'Grüße 👋' } });
    }
  },
  messagePosted: ({ data }) => {
    if (data.author !== nickname) {
      chat.getHistory({ type: 'getHistory', timestamp, id: 'h-1', data: { limit: 1 } });
    }
  },
  history: () => chat.getHistory({ type: 'getHistory', timestamp, id: 'h-2', data: { limit: 500 } }),
  error: () => chat.leave({ type: 'leave', timestamp }),
};

chat.registerMessageHandler((text) => {
  console.log(text);
  const message = JSON.parse(text);
  turns[message.type](message);
});
chat.connect().then(
  () => {
    chat.websocket.on('close', (code) => console.log(JSON.stringify({ closed: code })));
    chat.join({ type: 'join', timestamp, data: { nickname } });
  },
  (error) => console.log(JSON.stringify({ refused: error.message })),
);
