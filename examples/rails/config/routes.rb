Rails.application.routes.draw do
  root 'log#index'
  get '/database', to: 'log#database'
end
