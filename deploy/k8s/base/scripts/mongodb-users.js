// Runs at the first start of the database: Rollcall's own user, who may use Rollcall's database and no other.
db.getSiblingDB("rollcall").createUser({
  user: "rollcall",
  pwd: process.env.ROLLCALL_MONGODB_PASSWORD,
  roles: [{ role: "readWrite", db: "rollcall" }],
});
